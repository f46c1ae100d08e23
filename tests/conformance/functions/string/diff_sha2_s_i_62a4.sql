SET 'table.local-time-zone' = 'UTC';
SELECT
  SHA2(CAST('ab' AS CHAR(4)), 2) AS c1;
