SET 'table.local-time-zone' = 'UTC';
SELECT
  INTERVAL '1.0005' SECOND(2, 3) AS c1;
