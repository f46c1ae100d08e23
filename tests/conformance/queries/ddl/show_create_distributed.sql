SET 'table.local-time-zone' = 'UTC';
CREATE TABLE t (a INT, b STRING) COMMENT 'c' DISTRIBUTED BY HASH(a) INTO 4 BUCKETS WITH ('connector' = 'datagen');
SHOW CREATE TABLE t;
