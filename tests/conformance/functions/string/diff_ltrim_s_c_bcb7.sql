SET 'table.local-time-zone' = 'UTC';
SELECT
  LTRIM('	', 'ab') AS c1,
  LTRIM('a😀b', 'ab') AS c2,
  LTRIM(CAST('ab' AS CHAR(4)), '') AS c3,
  LTRIM('	', CAST(NULL AS STRING)) AS c4,
  LTRIM('TRUE', 'ab') AS c5;
