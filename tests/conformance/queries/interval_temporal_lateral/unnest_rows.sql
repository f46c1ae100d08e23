SET 'table.local-time-zone' = 'UTC';
SELECT i, x, y FROM (VALUES (1, ARRAY[ROW(1, 'a'), ROW(2, 'b')]), (2, ARRAY[ROW(3, 'c')])) AS t(i, a) CROSS JOIN UNNEST(a) AS u(x, y);
