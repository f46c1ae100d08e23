SET 'table.local-time-zone' = 'UTC';
SELECT
  EXTRACT(MINUTE FROM INTERVAL '1' DAY) AS c1;
