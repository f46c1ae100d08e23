SET 'table.local-time-zone' = 'UTC';
SELECT * FROM UNNEST(ARRAY[3, 1, 2]) AS u(x);
