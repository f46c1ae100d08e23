SET 'table.local-time-zone' = 'UTC';
SELECT
  ROW(2147483647, ' x ').f0 AS c1;
