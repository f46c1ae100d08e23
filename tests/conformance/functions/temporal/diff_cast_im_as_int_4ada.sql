SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(INTERVAL '-2' YEAR AS INT) AS c1;
