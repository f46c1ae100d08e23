SET 'table.local-time-zone' = 'UTC';
SELECT * FROM (SELECT 1 AS a, 2 AS a) AS t;
