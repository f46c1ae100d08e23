SET 'table.local-time-zone' = 'UTC';
SELECT
  RPAD('', 4, ',') AS c1;
