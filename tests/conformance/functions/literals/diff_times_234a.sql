SET 'table.local-time-zone' = 'UTC';
SELECT
  DATE '0000-01-01' AS c1;
