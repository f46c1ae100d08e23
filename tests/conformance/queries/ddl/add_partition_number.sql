CREATE TABLE p (a INT, d INT) PARTITIONED BY (d) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
ALTER TABLE p ADD PARTITION (d=1);
ALTER TABLE p ADD PARTITION (d=2) WITH ('k'='v');
SHOW PARTITIONS p;
