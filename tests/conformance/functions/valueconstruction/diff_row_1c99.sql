SET 'table.local-time-zone' = 'UTC';
SELECT
  ROW() AS c1;
