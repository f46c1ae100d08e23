SET 'table.local-time-zone' = 'UTC';
SELECT
  CHR(CAST('123.45' AS DECIMAL(10, 2))) AS c1;
