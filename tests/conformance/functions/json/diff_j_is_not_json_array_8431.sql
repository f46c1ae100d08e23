SET 'table.local-time-zone' = 'UTC';
SELECT
  '"str"' IS NOT JSON ARRAY AS c1,
  '{}' IS NOT JSON ARRAY AS c2,
  'bad' IS NOT JSON ARRAY AS c3,
  '12.30' IS NOT JSON ARRAY AS c4,
  '{"a": "é😀\n", "a b": 1e3}' IS NOT JSON ARRAY AS c5;
