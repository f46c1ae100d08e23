CREATE TABLE p (a INT) WITH ('connector'='filesystem','path'='/tmp/flott-conformance/p','format'='csv');
ALTER TABLE p ADD PARTITION (a='x');
