SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  JSON_QUERY(j, '$.*') AS c1,
  JSON_QUERY(j, '$..a') AS c2,
  JSON_QUERY(j, 'strict $.a') AS c3,
  JSON_QUERY(j, 'lax $.x.y') AS c4,
  JSON_QUERY(j, '$[0]') AS c5
FROM jsons;
