SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(PARSE_JSON('{"a": [1, "x", {"b": 1.50}], "k": null}') AS DECIMAL(3, 1)) AS c1;
