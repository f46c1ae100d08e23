CREATE TABLE tb (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT t.id, (SELECT MAX(v) FROM (SELECT * FROM tb WHERE tb.id <= t.id) x) AS m FROM ta t;
