SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST('Hello World' AS DOUBLE) AS c1;
