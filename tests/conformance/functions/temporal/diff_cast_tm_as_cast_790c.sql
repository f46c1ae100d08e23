SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(TIME '23:59:59' AS VARBINARY(2)) AS c1;
