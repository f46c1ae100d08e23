SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_SORT(ai, FALSE) AS c1,
  ARRAY_SORT(aa[1], FALSE) AS c2,
  ARRAY_SORT(ai, TRUE) AS c3,
  ARRAY_SORT(ai, CAST(NULL AS BOOLEAN)) AS c4,
  ARRAY_SORT(aa[1], CAST(NULL AS BOOLEAN)) AS c5
FROM coll;
