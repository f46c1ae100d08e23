SET 'table.local-time-zone' = 'UTC';
SELECT
  SINH(1.5) AS c1;
