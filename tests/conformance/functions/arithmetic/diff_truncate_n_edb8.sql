SET 'table.local-time-zone' = 'UTC';
SELECT
  TRUNCATE(CAST(-0.5 AS DECIMAL(3,1))) AS c1;
