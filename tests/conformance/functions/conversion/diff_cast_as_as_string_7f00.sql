SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(ARRAY['a', 'b', 'a'] AS STRING) AS c1,
  CAST(ARRAY['z', CAST(NULL AS STRING), ''] AS STRING) AS c2,
  CAST(CAST(NULL AS ARRAY<STRING>) AS STRING) AS c3,
  CAST(ARRAY[''] AS STRING) AS c4,
  CAST(ARRAY['Hello', 'é', '😀'] AS STRING) AS c5;
