CREATE TABLE p (a INT, d STRING) PARTITIONED BY (d) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
ALTER TABLE p ADD PARTITION (d='x');
ALTER TABLE p ADD PARTITION (d='x');
