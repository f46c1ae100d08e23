SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY[ROW(CAST(NULL AS INT), 'abc')] AS c1,
  ARRAY[ROW(10, 'İIıi')] AS c2,
  ARRAY[ROW(CAST(NULL AS INT), 'a,b,,c')] AS c3,
  ARRAY[ROW(2147483647, 'aXbXc')] AS c4,
  ARRAY[ROW(100, 'İIıi')] AS c5;
