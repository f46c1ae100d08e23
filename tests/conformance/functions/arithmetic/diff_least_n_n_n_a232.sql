SET 'table.local-time-zone' = 'UTC';
SELECT
  LEAST(2147483647, -2.55, 1E0) AS c1;
