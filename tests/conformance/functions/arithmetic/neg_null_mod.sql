SET 'table.local-time-zone' = 'UTC';
SELECT MOD(NULL, 3);
