SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST(DATE '1582-10-10' AS TIMESTAMP(9)) AS c1;
