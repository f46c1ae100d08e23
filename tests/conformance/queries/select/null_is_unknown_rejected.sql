CREATE TABLE ta (id INT, s STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/a.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id FROM ta HAVING NULL;
