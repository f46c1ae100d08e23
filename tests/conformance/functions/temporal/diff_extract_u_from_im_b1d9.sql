SET 'table.local-time-zone' = 'UTC';
SELECT
  EXTRACT(MINUTE FROM INTERVAL '-2' YEAR) AS c1;
