SET 'table.local-time-zone' = 'UTC';
SELECT
  MAP['k1', 1, 'k2', 2]['k1'] AS c1,
  MAP['', 0, 'k1', 5]['k1'] AS c2,
  MAP['a', CAST(NULL AS INT)]['k1'] AS c3,
  CAST(NULL AS MAP<STRING, INT>)['k1'] AS c4;
