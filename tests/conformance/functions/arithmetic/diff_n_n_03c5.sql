SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(1.5 AS FLOAT) + 2.5 AS c1;
