SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('12:34:56' AS TIME(3)) AS c1;
