SET 'parallelism.default' = '1';
SELECT t.id, x FROM (VALUES (1, ARRAY[1, 2, 3]), (2, ARRAY[5]), (3, CAST(NULL AS ARRAY<INT>))) AS t(id, a) LEFT JOIN UNNEST(t.a) AS u(x) ON u.x > 1;
