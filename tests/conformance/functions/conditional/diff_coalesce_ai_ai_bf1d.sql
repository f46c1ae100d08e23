SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  COALESCE(ai, aa[1]) AS c1,
  COALESCE(ai, ai) AS c2,
  COALESCE(aa[1], aa[1]) AS c3,
  COALESCE(CAST(NULL AS ARRAY<INT>), ai) AS c4,
  COALESCE(aa[1], ai) AS c5
FROM coll;
