SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST('-0001-01-01' AS DATE) AS c1;
