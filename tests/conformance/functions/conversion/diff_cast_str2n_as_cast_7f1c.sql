SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST('5.' AS DATE) AS c1;
