SET 'table.local-time-zone' = 'UTC';
SELECT
  DEGREES(CAST(-300 AS SMALLINT)) AS c1;
