CREATE TABLE src (a INT, b STRING) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/src','format'='csv');
TRUNCATE TABLE src;
