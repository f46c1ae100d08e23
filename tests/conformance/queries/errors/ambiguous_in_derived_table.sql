SET 'table.local-time-zone' = 'UTC';
SELECT a FROM (SELECT 1 AS a, 2 AS a) AS t;
