SET 'table.local-time-zone' = 'UTC';
SELECT
  'İIıi' || 'ǆ ŉ ﬁ' AS c1,
  '	' || 'a😀b' AS c2,
  'straße' || '%_\' AS c3,
  CAST(NULL AS STRING) || CAST('abcdef' AS VARCHAR(3)) AS c4,
  'ǆ ŉ ﬁ' || 'abc' AS c5;
