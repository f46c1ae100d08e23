SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('2147483648' AS FLOAT) AS c1;
