SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  JSON_VALUE(j, '$["a b"]') AS c1,
  JSON_VALUE(j, '$[*]') AS c2,
  JSON_VALUE(j, 'lax $.x.y') AS c3,
  JSON_VALUE(j, 'strict $.a') AS c4,
  JSON_VALUE(j, '$.b.c[0]') AS c5
FROM jsons;
