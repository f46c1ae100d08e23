SET 'parallelism.default' = '1';
CREATE TABLE ptab (id INT, k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT COUNT(*) AS n, TUMBLE_ROWTIME(pt, INTERVAL '10' SECOND) AS p FROM ptab GROUP BY TUMBLE(pt, INTERVAL '10' SECOND);
