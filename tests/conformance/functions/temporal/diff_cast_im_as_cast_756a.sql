SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(INTERVAL '-2' YEAR AS DECIMAL(3, 1)) AS c1;
