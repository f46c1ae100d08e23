SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_PARSE_JSON('true') AS c1,
  TRY_PARSE_JSON(CAST(NULL AS STRING)) AS c2,
  TRY_PARSE_JSON('{"a": 1, "b": {"c": [1, 2.50, null, "x"]}}') AS c3,
  TRY_PARSE_JSON('{}') AS c4;
