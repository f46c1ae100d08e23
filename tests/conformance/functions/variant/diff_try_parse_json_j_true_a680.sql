SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_PARSE_JSON('null', TRUE) AS c1,
  TRY_PARSE_JSON('true', TRUE) AS c2,
  TRY_PARSE_JSON('{"a":null}', TRUE) AS c3,
  TRY_PARSE_JSON('[[1],[2,[3]]]', TRUE) AS c4,
  TRY_PARSE_JSON(CAST(NULL AS STRING), TRUE) AS c5;
