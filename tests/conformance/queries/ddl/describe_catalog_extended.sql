CREATE CATALOG c1 COMMENT 'cc' WITH ('type' = 'generic_in_memory'); DESCRIBE CATALOG EXTENDED c1;
