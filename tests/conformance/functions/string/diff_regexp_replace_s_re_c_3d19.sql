SET 'table.local-time-zone' = 'UTC';
SELECT
  REGEXP_REPLACE('', '[^a]*$', '😀') AS c1,
  REGEXP_REPLACE('%_\', 'l+', CAST(NULL AS STRING)) AS c2,
  REGEXP_REPLACE('', CAST(NULL AS STRING), '😀') AS c3,
  REGEXP_REPLACE('İIıi', '\d+', '') AS c4,
  REGEXP_REPLACE('ǆ ŉ ﬁ', '(\w+) (\w+)', ',') AS c5;
