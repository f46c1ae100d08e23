CREATE TABLE src (a INT, b STRING) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/src','format'='csv');
UPDATE src SET a = 1 WHERE b = 'x';
