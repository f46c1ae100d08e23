SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(DATE '0000-01-01' AS STRING) AS c1;
