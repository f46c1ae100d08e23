SET 'execution.runtime-mode' = 'batch';
SET 'table.local-time-zone' = 'UTC';
SELECT i, ROW_NUMBER() OVER (ORDER BY i) AS a, RANK() OVER (ORDER BY g) AS b, DENSE_RANK() OVER (ORDER BY g DESC) AS c, NTILE(2) OVER (ORDER BY i) AS d FROM (VALUES (1, 'x'), (2, 'x'), (3, 'y')) AS t(i, g);
