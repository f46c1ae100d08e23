SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(X'68656c6c6f' AS VARCHAR(4)) AS c1;
