SET 'table.local-time-zone' = 'UTC';
SELECT i, ARRAY_AGG(s IGNORE NULLS) AS a, ARRAY_AGG(s RESPECT NULLS) AS b FROM (VALUES (1, 'a', 10), (1, 'a', 10), (2, 'b', 20), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30)) AS l(i, s, v) GROUP BY i;
