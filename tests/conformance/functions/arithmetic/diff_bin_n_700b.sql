SET 'table.local-time-zone' = 'UTC';
SELECT
  BIN(-2.5E-3) AS c1;
