SET 'table.local-time-zone' = 'UTC';
CREATE CATALOG c COMMENT 'hello' WITH ('type' = 'generic_in_memory');
SHOW CREATE CATALOG c;
