SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_CONTAINS(ARRAY[''], 'Hello World') AS c1;
