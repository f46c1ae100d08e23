SET 'table.local-time-zone' = 'UTC';
SELECT TRANSLATE(NULL, 'ac', 'x');
