SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_UNION(sa, sa) AS c1,
  ARRAY_UNION(sa, CAST(NULL AS ARRAY<STRING>)) AS c2,
  ARRAY_UNION(ARRAY['Hello', 'é', '😀'], sa) AS c3,
  ARRAY_UNION(sa, ARRAY['']) AS c4,
  ARRAY_UNION(sa, ARRAY['Hello', 'é', '😀']) AS c5
FROM coll;
