CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
EXECUTE PLAN '/tmp/flott-conformance/fpnix.json';
