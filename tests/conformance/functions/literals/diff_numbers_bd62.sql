SET 'table.local-time-zone' = 'UTC';
SELECT
  1e400 AS c1;
