SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_PARSE_JSON('12.30')['a'] AS c1;
