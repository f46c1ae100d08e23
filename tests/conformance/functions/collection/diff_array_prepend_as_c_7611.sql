SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_PREPEND(ARRAY[''], '😀') AS c1;
