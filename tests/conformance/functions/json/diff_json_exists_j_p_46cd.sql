SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_EXISTS('[[1],[2,[3]]]', '$.b.c[0]') AS c1,
  JSON_EXISTS('true', 'lax $.x.y') AS c2,
  JSON_EXISTS('bad', '$[0]') AS c3,
  JSON_EXISTS('"str"', '$.a') AS c4,
  JSON_EXISTS('null', '$.b.c') AS c5;
