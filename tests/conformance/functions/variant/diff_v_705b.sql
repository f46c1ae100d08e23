SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('1e5') AS c1,
  PARSE_JSON('null') AS c2;
