SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_ARRAY(JSON('[1, 2.50]'), 20) AS c1,
  JSON_ARRAY(JSON('[1, 2.50]'), -1) AS c2,
  JSON_ARRAY(JSON('[1, 2.50]'), 3) AS c3;
