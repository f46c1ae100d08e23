SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_CONCAT(aa[1], ai) AS c1,
  ARRAY_CONCAT(ai, ai) AS c2,
  ARRAY_CONCAT(ai, ARRAY[1, NULL, 1]) AS c3,
  ARRAY_CONCAT(ARRAY[3, 1, 2, 1], ai) AS c4,
  ARRAY_CONCAT(ai, ARRAY[CAST(NULL AS INT), 1]) AS c5
FROM coll;
