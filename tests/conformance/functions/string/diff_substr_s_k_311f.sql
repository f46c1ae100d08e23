SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  SUBSTR(j, -2) AS c1,
  SUBSTR(j, 0) AS c2,
  SUBSTR(j, -1) AS c3,
  SUBSTR(j, 4) AS c4,
  SUBSTR(j, 1) AS c5
FROM jsons;
