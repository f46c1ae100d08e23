SET 'table.local-time-zone' = 'UTC';
SELECT
  MAP['', 0, 'k1', 5] = MAP['', 0, 'k1', 5] AS c1,
  MAP['a', CAST(NULL AS INT)] = MAP['', 0, 'k1', 5] AS c2,
  MAP['', 0, 'k1', 5] = CAST(NULL AS MAP<STRING, INT>) AS c3,
  MAP['', 0, 'k1', 5] = MAP['a', CAST(NULL AS INT)] AS c4,
  CAST(NULL AS MAP<STRING, INT>) = MAP['a', CAST(NULL AS INT)] AS c5;
