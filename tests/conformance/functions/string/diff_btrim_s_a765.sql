SET 'table.local-time-zone' = 'UTC';
SELECT
  BTRIM('ǆ ŉ ﬁ') AS c1,
  BTRIM(CAST('ab' AS CHAR(4))) AS c2,
  BTRIM(CAST(NULL AS STRING)) AS c3,
  BTRIM('10') AS c4,
  BTRIM('') AS c5;
