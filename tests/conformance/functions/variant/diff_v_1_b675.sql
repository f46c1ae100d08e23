SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('null')[1] AS c1;
