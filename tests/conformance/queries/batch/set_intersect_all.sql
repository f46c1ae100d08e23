SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
SELECT i, s, v FROM (VALUES (1, 'a', 10), (1, 'a', 10), (2, 'b', 20), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30)) AS l(i, s, v) INTERSECT ALL SELECT i, s, v FROM (VALUES (1, 'a', 10), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (4, 'd', 40)) AS r(i, s, v);
