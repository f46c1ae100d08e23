SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  IFNULL(j, '') AS c1,
  IFNULL(j, 'a') AS c2,
  IFNULL(j, ',') AS c3,
  IFNULL(j, CAST(NULL AS STRING)) AS c4,
  IFNULL(j, '😀') AS c5
FROM jsons;
