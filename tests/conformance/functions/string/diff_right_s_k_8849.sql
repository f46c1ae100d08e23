SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  RIGHT(j, 7) AS c1,
  RIGHT(j, 4) AS c2,
  RIGHT(j, 0) AS c3,
  RIGHT(j, CAST(NULL AS INT)) AS c4,
  RIGHT(j, 3) AS c5
FROM jsons;
