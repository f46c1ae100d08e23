SET 'table.local-time-zone' = 'UTC';
SELECT 9223372036854775807.5;
