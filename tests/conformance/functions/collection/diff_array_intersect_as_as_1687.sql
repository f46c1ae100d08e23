SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_INTERSECT(sa, sa) AS c1,
  ARRAY_INTERSECT(ARRAY['z', CAST(NULL AS STRING), ''], sa) AS c2,
  ARRAY_INTERSECT(sa, CAST(NULL AS ARRAY<STRING>)) AS c3,
  ARRAY_INTERSECT(ARRAY[''], sa) AS c4,
  ARRAY_INTERSECT(sa, ARRAY['a', 'b', 'a']) AS c5
FROM coll;
