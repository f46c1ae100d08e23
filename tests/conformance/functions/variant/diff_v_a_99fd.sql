SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('[1, 2, null]')['a'] AS c1;
