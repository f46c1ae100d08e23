SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  JSON_QUERY(j, '$.*' RETURNING ARRAY<STRING>) AS c1,
  JSON_QUERY(j, '$.b.c' RETURNING ARRAY<STRING>) AS c2,
  JSON_QUERY(j, '$.a' RETURNING ARRAY<STRING>) AS c3,
  JSON_QUERY(j, 'lax $.b.c[1]' RETURNING ARRAY<STRING>) AS c4,
  JSON_QUERY(j, '$.b.c[0]' RETURNING ARRAY<STRING>) AS c5
FROM jsons;
