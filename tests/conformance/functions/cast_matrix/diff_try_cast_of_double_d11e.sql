SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST(123456789.987E0 AS FLOAT) AS c1;
