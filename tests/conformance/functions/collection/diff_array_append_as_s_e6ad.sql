SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_APPEND(ARRAY[''], 'ΑΣ') AS c1;
