SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('1e5')['k'] IS NULL AS c1;
