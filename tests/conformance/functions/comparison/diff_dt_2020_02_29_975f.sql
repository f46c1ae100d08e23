SET 'table.local-time-zone' = 'UTC';
SELECT
  DATE '1582-10-10' = '2020-02-29' AS c1;
