SET 'table.local-time-zone' = 'UTC';
SELECT
  PARSE_JSON('{"a": [1, "x", {"b": 1.50}], "k": null}')['a'][3]['b'] AS c1;
