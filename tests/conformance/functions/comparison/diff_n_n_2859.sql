SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(5 AS TINYINT) = CAST(-0.5 AS DECIMAL(3,1)) AS c1;
