SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY[CAST(NULL AS INT), 1][1] AS c1,
  ARRAY[1, 2, 3][1] AS c2,
  ARRAY_REMOVE(ARRAY[1], 1)[1] AS c3,
  CAST(NULL AS ARRAY<INT>)[1] AS c4,
  ARRAY[3, 1, 2, 1][1] AS c5;
