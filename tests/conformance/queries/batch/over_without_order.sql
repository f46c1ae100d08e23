SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
SELECT i, SUM(v) OVER (PARTITION BY i) AS x, COUNT(*) OVER () AS y FROM (VALUES (1, 'a', 10), (1, 'a', 10), (2, 'b', 20), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30)) AS l(i, s, v);
