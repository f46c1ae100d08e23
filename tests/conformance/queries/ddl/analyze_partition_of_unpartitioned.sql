CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
ANALYZE TABLE src PARTITION (a=1) COMPUTE STATISTICS FOR ALL COLUMNS;
