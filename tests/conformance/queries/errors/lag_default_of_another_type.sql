SET 'table.local-time-zone' = 'UTC';
SELECT LAG(a, 1, 'x') OVER (ORDER BY p) FROM (SELECT a, PROCTIME() AS p FROM (VALUES (1), (2)) AS t(a));
