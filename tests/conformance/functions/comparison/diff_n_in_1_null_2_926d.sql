SET 'table.local-time-zone' = 'UTC';
SELECT
  0 IN (1, NULL, 2) AS c1,
  CAST(5 AS TINYINT) IN (1, NULL, 2) AS c2,
  CAST(NULL AS INT) IN (1, NULL, 2) AS c3,
  127 IN (1, NULL, 2) AS c4,
  -7 IN (1, NULL, 2) AS c5;
