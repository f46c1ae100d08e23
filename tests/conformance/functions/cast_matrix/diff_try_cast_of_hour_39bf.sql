SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('1:2:3' AS TIME(3)) AS c1;
