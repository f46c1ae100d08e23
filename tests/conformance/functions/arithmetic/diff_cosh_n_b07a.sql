SET 'table.local-time-zone' = 'UTC';
SELECT
  COSH(1E308) AS c1,
  COSH(CAST(NULL AS DOUBLE)) AS c2,
  COSH(0.00) AS c3,
  COSH(1.5) AS c4;
