SET 'table.local-time-zone' = 'UTC';
SELECT
  'a😀b' IN ('😀', '2020-02-29', 'abc') AS c1,
  '' IN ('X', 'TRUE', 'abc') AS c2,
  'Hello World' IN (',', CAST(NULL AS STRING), 'abc') AS c3,
  'ǆ ŉ ﬁ' IN (' ', 'aXbXc', 'abc') AS c4,
  'ǆ ŉ ﬁ' IN ('a', '	', 'abc') AS c5;
