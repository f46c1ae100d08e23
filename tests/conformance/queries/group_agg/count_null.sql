SET 'table.local-time-zone' = 'UTC';
SELECT COUNT(NULL) FROM (VALUES (1)) AS t(a);
