CREATE TABLE src (a INT, b STRING) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/src','format'='csv');
DELETE FROM src WHERE b = 'x';
