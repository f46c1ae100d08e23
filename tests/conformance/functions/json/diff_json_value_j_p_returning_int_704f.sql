SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_VALUE('{"a": 1, "b": {"c": [1, 2.50, null, "x"]}}', 'strict $.a' RETURNING INT) AS c1,
  JSON_VALUE('', '$["a b"]' RETURNING INT) AS c2,
  JSON_VALUE('[[1],[2,[3]]]', '$.a' RETURNING INT) AS c3,
  JSON_VALUE(CAST(NULL AS STRING), 'strict $.a' RETURNING INT) AS c4,
  JSON_VALUE('null', '$[0]' RETURNING INT) AS c5;
