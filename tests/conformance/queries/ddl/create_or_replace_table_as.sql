CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
CREATE TABLE t1 WITH ('connector'='blackhole') AS SELECT a, b FROM src;
CREATE OR REPLACE TABLE t1 WITH ('connector'='blackhole') AS SELECT b FROM src;
DESCRIBE t1;
