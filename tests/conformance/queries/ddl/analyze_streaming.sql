CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
ANALYZE TABLE src COMPUTE STATISTICS;
