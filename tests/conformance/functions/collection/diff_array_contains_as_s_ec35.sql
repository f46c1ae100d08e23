SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_CONTAINS(ARRAY[''], 'a😀b') AS c1;
