SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_APPEND(ARRAY[''], 'aXbXc') AS c1;
