CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
REPLACE TABLE t1 WITH ('connector'='blackhole') AS SELECT a, b FROM src;
