SET 'table.local-time-zone' = 'UTC';
SELECT SIN(NULL);
