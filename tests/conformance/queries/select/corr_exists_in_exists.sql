CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE tb (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/b.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE tc (id INT, w INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/c.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id FROM ta WHERE EXISTS (SELECT 1 FROM tb WHERE tb.id = ta.id AND EXISTS (SELECT 1 FROM tc WHERE tc.id = tb.id));
