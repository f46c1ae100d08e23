CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
COMPILE PLAN '/tmp/flott-conformance/fp6.json' FOR SELECT 1;
