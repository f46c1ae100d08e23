SET 'table.local-time-zone' = 'UTC';
SELECT GREATEST(NULL, 9, 4);
