CREATE TABLE p (a INT, d STRING, e INT) PARTITIONED BY (d, e) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
ALTER TABLE p ADD PARTITION (d='x');
SHOW PARTITIONS p;
