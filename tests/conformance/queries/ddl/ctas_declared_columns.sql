CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
CREATE TABLE t9 (b STRING, a INT) WITH ('connector'='blackhole') AS SELECT a, b FROM src;
DESCRIBE t9;
