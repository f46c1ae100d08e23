SET 'parallelism.default' = '1';
SELECT a, LAG(a, n) OVER (ORDER BY p) AS l, LAG(a, n, -1) OVER (ORDER BY p) AS d FROM (SELECT a, n, PROCTIME() AS p FROM (VALUES (1, 1), (2, 1), (3, 2), (4, 1), (5, 3), (6, 0), (7, 1), (8, 2), (9, 4), (10, 5)) AS t(a, n));
