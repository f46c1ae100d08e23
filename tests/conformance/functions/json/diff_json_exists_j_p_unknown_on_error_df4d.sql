SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  JSON_EXISTS(j, '$.b.c' UNKNOWN ON ERROR) AS c1,
  JSON_EXISTS(j, 'strict $.a' UNKNOWN ON ERROR) AS c2,
  JSON_EXISTS(j, '$[0]' UNKNOWN ON ERROR) AS c3,
  JSON_EXISTS(j, 'strict $.x' UNKNOWN ON ERROR) AS c4,
  JSON_EXISTS(j, 'lax $.x.y' UNKNOWN ON ERROR) AS c5
FROM jsons;
