SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_QUERY('{"a": "é😀\n", "a b": 1e3}', 'lax $.b.c[1]' WITH UNCONDITIONAL WRAPPER) AS c1,
  JSON_QUERY('true', '$[0]' WITH UNCONDITIONAL WRAPPER) AS c2,
  JSON_QUERY('bad', '$[*]' WITH UNCONDITIONAL WRAPPER) AS c3,
  JSON_QUERY('{"a": "é😀\n", "a b": 1e3}', '$[0]' WITH UNCONDITIONAL WRAPPER) AS c4,
  JSON_QUERY('{}', 'lax $.a' WITH UNCONDITIONAL WRAPPER) AS c5;
