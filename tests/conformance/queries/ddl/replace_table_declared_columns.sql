CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
REPLACE TABLE src (c INT) WITH ('connector'='blackhole') AS SELECT b, a FROM src;
DESCRIBE src;
