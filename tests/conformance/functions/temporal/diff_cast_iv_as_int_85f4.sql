SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(INTERVAL '5' SECONDS AS INT) AS c1;
