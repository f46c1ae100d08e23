SET 'table.local-time-zone' = 'UTC';
SELECT
  MAP['k1', 1, 'k2', 2]['a'] AS c1,
  MAP['k1', 1, 'k2', 2]['ab'] AS c2,
  CAST(NULL AS MAP<STRING, INT>)['a'] AS c3,
  MAP['a', CAST(NULL AS INT)][CAST(NULL AS STRING)] AS c4,
  MAP['k1', 1, 'k2', 2][''] AS c5;
