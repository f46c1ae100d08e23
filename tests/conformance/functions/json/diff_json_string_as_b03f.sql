SET 'table.local-time-zone' = 'UTC';
CREATE TABLE coll (
  id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/coll.json', 'format' = 'json'
);
SELECT
  id,
  JSON_STRING(sa) AS c1
FROM coll;
