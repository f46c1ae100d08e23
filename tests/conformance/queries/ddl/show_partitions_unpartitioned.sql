CREATE TABLE p (a INT) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
SHOW PARTITIONS p;
