SET 'table.local-time-zone' = 'UTC';
SELECT
  EXP(CAST(5 AS TINYINT)) AS c1,
  EXP(127) AS c2,
  EXP(CAST(NULL AS INT)) AS c3,
  EXP(1E0) AS c4,
  EXP(2147483647) AS c5;
