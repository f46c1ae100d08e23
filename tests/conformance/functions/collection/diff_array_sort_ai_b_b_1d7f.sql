SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_SORT(aa[1], FALSE, TRUE) AS c1,
  ARRAY_SORT(aa[1], TRUE, CAST(NULL AS BOOLEAN)) AS c2,
  ARRAY_SORT(ai, CAST(NULL AS BOOLEAN), CAST(NULL AS BOOLEAN)) AS c3,
  ARRAY_SORT(aa[1], CAST(NULL AS BOOLEAN), TRUE) AS c4,
  ARRAY_SORT(ai, CAST(NULL AS BOOLEAN), TRUE) AS c5
FROM coll;
