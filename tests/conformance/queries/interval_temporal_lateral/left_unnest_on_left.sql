SET 'parallelism.default' = '1';
SELECT t.id, x FROM (VALUES (1, ARRAY[1, 2, 3]), (2, ARRAY[5])) AS t(id, a) LEFT JOIN UNNEST(t.a) AS u(x) ON t.id = 1;
