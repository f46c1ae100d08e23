SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_OBJECT('j' VALUE JSON('{"x": 1.10}')) AS c1;
