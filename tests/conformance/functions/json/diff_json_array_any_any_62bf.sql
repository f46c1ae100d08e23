SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  JSON_ARRAY(CAST(NULL AS INT), aa) AS c1,
  JSON_ARRAY(aa, aa) AS c2,
  JSON_ARRAY(r, r) AS c3,
  JSON_ARRAY(da, aa) AS c4,
  JSON_ARRAY(da, r) AS c5
FROM coll;
