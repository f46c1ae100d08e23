CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
CREATE TEMPORARY TABLE t1 WITH ('connector'='blackhole') AS SELECT a FROM src;
