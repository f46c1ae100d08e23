SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST(BITMAP_BUILD(ARRAY[1, 2, 3]) AS BYTES) AS c1;
