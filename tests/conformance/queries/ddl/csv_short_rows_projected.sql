CREATE TABLE t (id INT, w INT, x STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/c.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'); SELECT x FROM t;
