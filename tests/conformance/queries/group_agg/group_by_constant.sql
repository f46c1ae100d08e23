SET 'table.local-time-zone' = 'UTC';
SELECT COUNT(*) AS c, SUM(v) AS s FROM (VALUES (1, 'a', 10), (1, 'a', 10), (2, 'b', 20), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30)) AS l(i, s, v) GROUP BY 1;
