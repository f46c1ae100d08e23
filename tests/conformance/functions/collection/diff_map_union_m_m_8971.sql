SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  MAP_UNION(mi, MAP['a', CAST(NULL AS INT)]) AS c1,
  MAP_UNION(MAP['a', CAST(NULL AS INT)], mi) AS c2,
  MAP_UNION(MAP['k1', 1, 'k2', 2], mi) AS c3,
  MAP_UNION(mi, MAP['', 0, 'k1', 5]) AS c4,
  MAP_UNION(mi, mi) AS c5
FROM coll;
