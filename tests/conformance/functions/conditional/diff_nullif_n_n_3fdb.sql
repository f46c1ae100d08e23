SET 'table.local-time-zone' = 'UTC';
SELECT
  NULLIF(-7, 2147483647) AS c1;
