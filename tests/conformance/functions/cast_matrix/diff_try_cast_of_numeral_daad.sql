SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('00012' AS TIME(3)) AS c1;
