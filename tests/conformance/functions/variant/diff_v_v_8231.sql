SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('null') = PARSE_JSON('[1, 2, null]') AS c1;
