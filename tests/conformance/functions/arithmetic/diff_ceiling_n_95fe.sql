SET 'table.local-time-zone' = 'UTC';
SELECT
  CEILING(0.5) AS c1;
