SET 'table.local-time-zone' = 'UTC';
SELECT
  BTRIM('ǆ ŉ ﬁ', '😀') AS c1,
  BTRIM(CAST(NULL AS STRING), 'ab') AS c2,
  BTRIM('a,b,,c', 'ab') AS c3,
  BTRIM(CAST('abcdef' AS VARCHAR(3)), '') AS c4,
  BTRIM('-1.5', ',') AS c5;
