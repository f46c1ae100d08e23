CREATE TABLE src (a INT, b STRING) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/src','format'='csv');
SET 'execution.runtime-mode'='batch';
DELETE FROM src WHERE b = 'x';
