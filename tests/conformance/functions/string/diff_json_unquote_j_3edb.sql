SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_UNQUOTE('[1, 2, {"a": true}]') AS c1,
  JSON_UNQUOTE('{"a": "é😀\n", "a b": 1e3}') AS c2,
  JSON_UNQUOTE('bad') AS c3,
  JSON_UNQUOTE('') AS c4;
