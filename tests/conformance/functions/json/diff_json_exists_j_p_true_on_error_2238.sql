SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_EXISTS('"str"', '$..a' TRUE ON ERROR) AS c1,
  JSON_EXISTS('"str"', '$[*]' TRUE ON ERROR) AS c2,
  JSON_EXISTS('[[1],[2,[3]]]', 'lax $[2].a' TRUE ON ERROR) AS c3,
  JSON_EXISTS(CAST(NULL AS STRING), 'lax $.x.y' TRUE ON ERROR) AS c4,
  JSON_EXISTS('{"a":null}', '$.*' TRUE ON ERROR) AS c5;
