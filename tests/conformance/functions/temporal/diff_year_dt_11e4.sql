SET 'table.local-time-zone' = 'UTC';
SELECT
  YEAR(DATE '2024-12-30') AS c1,
  YEAR(DATE '1970-01-01') AS c2,
  YEAR(CAST(NULL AS DATE)) AS c3;
