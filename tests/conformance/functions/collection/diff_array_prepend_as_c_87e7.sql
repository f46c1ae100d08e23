SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_PREPEND(ARRAY[''], 'X') AS c1;
