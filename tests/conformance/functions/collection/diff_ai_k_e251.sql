SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_REMOVE(ARRAY[1], 1)[-1] AS c1;
