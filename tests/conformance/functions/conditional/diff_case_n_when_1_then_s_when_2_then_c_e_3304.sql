SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  CASE CAST(5 AS TINYINT) WHEN 1 THEN j WHEN 2 THEN '' ELSE 'z' END AS c1,
  CASE CAST(5 AS TINYINT) WHEN 1 THEN j WHEN 2 THEN ',' ELSE 'z' END AS c2,
  CASE CAST(-0.5 AS DECIMAL(3,1)) WHEN 1 THEN j WHEN 2 THEN 'ab' ELSE 'z' END AS c3,
  CASE CAST('Infinity' AS DOUBLE) WHEN 1 THEN j WHEN 2 THEN 'X' ELSE 'z' END AS c4,
  CASE 1 WHEN 1 THEN j WHEN 2 THEN 'X' ELSE 'z' END AS c5
FROM jsons;
