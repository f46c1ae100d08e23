SET 'table.local-time-zone' = 'UTC';
SELECT
  SPLIT_INDEX('2020-02-29', ',', CAST(NULL AS INT)) AS c1,
  SPLIT_INDEX('a😀b', ' ', 3) AS c2,
  SPLIT_INDEX('	', '', 0) AS c3,
  SPLIT_INDEX('ǆ ŉ ﬁ', 'X', 7) AS c4,
  SPLIT_INDEX(CAST(NULL AS STRING), 'a', -2) AS c5;
