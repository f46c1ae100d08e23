SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_SORT(ARRAY['z', CAST(NULL AS STRING), '']) AS c1,
  ARRAY_SORT(ARRAY['Hello', 'é', '😀']) AS c2,
  ARRAY_SORT(CAST(NULL AS ARRAY<STRING>)) AS c3,
  ARRAY_SORT(ARRAY['']) AS c4;
