SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (id INT, a INT, b INT, s STRING, t STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT CASE WHEN id > 3 THEN DATE '2020-01-01' ELSE TIMESTAMP '2020-01-01 00:00:00' END AS c1 FROM pairs;
