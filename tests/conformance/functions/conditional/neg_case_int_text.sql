SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (id INT, a INT, b INT, s STRING, t STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT CASE WHEN id > 3 THEN 1 ELSE 'x' END AS c1 FROM pairs;
