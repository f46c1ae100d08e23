CREATE TABLE src (a INT, b STRING) WITH ('connector'='datagen','number-of-rows'='2');
SET 'execution.runtime-mode'='batch';
CREATE TABLE t9 PARTITIONED BY (b) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/ft12','format'='csv') AS SELECT a, b FROM src;
SHOW CREATE TABLE t9;
