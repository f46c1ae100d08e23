SET 'table.local-time-zone' = 'UTC';
SELECT
  SUBSTR(CAST('abcdef' AS VARCHAR(3)), 1, 2) AS c1,
  SUBSTR(CAST('abcdef' AS VARCHAR(3)), 3, 4) AS c2,
  SUBSTR('10', 4, 3) AS c3,
  SUBSTR('-1.5', CAST(NULL AS INT), 3) AS c4,
  SUBSTR('2020-02-29', 4, 4) AS c5;
