CREATE TABLE tb (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE tc (id INT, w INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/c.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT t.id, (SELECT COUNT(*) FROM tb JOIN tc ON tb.id = tc.id WHERE tb.v < t.v) AS m FROM ta t;
