SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_STRING(PARSE_JSON('null')) AS c1,
  JSON_STRING(PARSE_JSON('"s"')) AS c2,
  JSON_STRING(PARSE_JSON('{"a": [1, "x", {"b": 1.50}], "k": null}')) AS c3,
  JSON_STRING(TRY_PARSE_JSON('bad')) AS c4,
  JSON_STRING(PARSE_JSON('1e5')) AS c5;
