SET 'table.local-time-zone' = 'UTC';
CREATE TABLE t (a INT, b STRING) DISTRIBUTED INTO 3 BUCKETS WITH ('connector' = 'datagen');
SHOW CREATE TABLE t;
