SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_VALUE('null', 'strict $.a' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR) AS c1,
  JSON_VALUE('bad', '$["a b"]' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR) AS c2,
  JSON_VALUE('"str"', 'lax $[2].a' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR) AS c3,
  JSON_VALUE('"str"', '$[*]' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR) AS c4,
  JSON_VALUE('true', '$.b.c' DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR) AS c5;
