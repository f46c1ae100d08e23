SET 'parallelism.default' = '1';
SELECT m, COUNT(*) AS n FROM (VALUES (MAP['a', 1, 'b', 2]), (MAP['b', 2, 'a', 1]), (MAP['a', 2]), (CAST(NULL AS MAP<STRING, INT>)), (MAP['a', 2])) AS t(m) GROUP BY m;
