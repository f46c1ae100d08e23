SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(ROW(2, CAST(NULL AS STRING)) AS STRING) AS c1,
  CAST(ROW(1, 'a') AS STRING) AS c2;
