SET 'table.local-time-zone' = 'UTC';
SELECT
  LOWER('İIıi') AS c1;
