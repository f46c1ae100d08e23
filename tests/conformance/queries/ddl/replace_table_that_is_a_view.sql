CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
CREATE VIEW v AS SELECT 1 AS a;
CREATE OR REPLACE TABLE v WITH ('connector'='blackhole') AS SELECT b, a FROM src;
