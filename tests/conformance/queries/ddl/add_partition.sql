CREATE TABLE p (a INT, d STRING, e INT) PARTITIONED BY (d, e) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
ALTER TABLE p ADD PARTITION (d='x', e='1') PARTITION (d='y', e='2');
ALTER TABLE p ADD IF NOT EXISTS PARTITION (d='x', e='1');
ALTER TABLE p DROP PARTITION (d='y', e='2');
SHOW PARTITIONS p;
