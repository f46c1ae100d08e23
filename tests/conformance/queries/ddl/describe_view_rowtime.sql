SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT id, ts, ts AS t2, CAST(ts AS TIMESTAMP(3)) AS t3, PROCTIME() AS p FROM late;
DESCRIBE v;
