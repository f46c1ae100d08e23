SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_REMOVE(CAST(NULL AS ARRAY<STRING>), 'a') AS c1,
  ARRAY_REMOVE(ARRAY[''], 'a') AS c2,
  ARRAY_REMOVE(ARRAY[''], 'ab') AS c3,
  ARRAY_REMOVE(ARRAY['a', 'b', 'a'], 'X') AS c4,
  ARRAY_REMOVE(ARRAY['Hello', 'é', '😀'], '😀') AS c5;
