SET 'table.local-time-zone' = 'UTC';
SELECT
  HEX(2.5) AS c1;
