CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
CREATE OR REPLACE TEMPORARY TABLE t WITH ('connector'='blackhole') AS SELECT b, a FROM src;
