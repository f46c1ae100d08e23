CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE tb (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id FROM ta JOIN tb ON NULL;
