CREATE TABLE tb (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id, EXISTS (SELECT 1 FROM tb WHERE tb.id < ta.id) AS e FROM ta;
