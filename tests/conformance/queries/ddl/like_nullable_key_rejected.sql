CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE t2 (z INT, PRIMARY KEY (id) NOT ENFORCED) LIKE ta; DESCRIBE t2;
