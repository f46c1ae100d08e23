SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  sa = sa AS c1,
  ARRAY['Hello', 'é', '😀'] = sa AS c2,
  ARRAY['z', CAST(NULL AS STRING), ''] = sa AS c3,
  sa = ARRAY['z', CAST(NULL AS STRING), ''] AS c4,
  sa = ARRAY['a', 'b', 'a'] AS c5
FROM coll;
