SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_QUERY('{"a":null}', 'lax $.a' WITH CONDITIONAL WRAPPER) AS c1,
  JSON_QUERY('true', '$' WITH CONDITIONAL WRAPPER) AS c2,
  JSON_QUERY('{"a": 1, "b": {"c": [1, 2.50, null, "x"]}}', 'strict $.a' WITH CONDITIONAL WRAPPER) AS c3,
  JSON_QUERY('true', '$[*]' WITH CONDITIONAL WRAPPER) AS c4,
  JSON_QUERY('null', '$.b.c' WITH CONDITIONAL WRAPPER) AS c5;
