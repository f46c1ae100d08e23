SET 'table.local-time-zone' = 'UTC';
CREATE CATALOG c WITH ('type' = 'generic_in_memory', 'default-database' = 'zz');
USE CATALOG c;
CREATE DATABASE aa;
USE aa;
USE CATALOG default_catalog;
USE CATALOG c;
SHOW CURRENT DATABASE;
