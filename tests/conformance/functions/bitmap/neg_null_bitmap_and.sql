SET 'table.local-time-zone' = 'UTC';
SELECT BITMAP_AND(NULL, BITMAP_BUILD(ARRAY[2, 3]));
