SET 'table.local-time-zone' = 'UTC';
SELECT
  INTERVAL '-2' YEAR AS c1,
  INTERVAL '1' MONTH AS c2,
  INTERVAL '13' MONTHS AS c3;
