SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY[1E0, 0.00] AS c1;
