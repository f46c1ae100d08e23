SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_STRING(ARRAY[1, 2]) AS c1;
