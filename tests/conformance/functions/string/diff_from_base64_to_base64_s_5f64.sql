SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  FROM_BASE64(TO_BASE64(j)) AS c1
FROM jsons;
