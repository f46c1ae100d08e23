SET 'table.local-time-zone' = 'UTC';
SELECT
  TYPEOF(0 % CAST(5 AS TINYINT)) AS c1;
