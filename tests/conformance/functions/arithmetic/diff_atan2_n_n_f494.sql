SET 'table.local-time-zone' = 'UTC';
SELECT
  ATAN2(CAST(5 AS TINYINT), CAST(1.5 AS FLOAT)) AS c1;
