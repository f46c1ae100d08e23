SET 'table.local-time-zone' = 'UTC';
SELECT
  POWER(CAST(-300 AS SMALLINT), -7) AS c1;
