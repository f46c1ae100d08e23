SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT MAX(ts) OVER (PARTITION BY k ORDER BY ts) AS a, LAG(ts) OVER (PARTITION BY k ORDER BY ts) AS b, FIRST_VALUE(ts) OVER (PARTITION BY k ORDER BY ts) AS c FROM late;
DESCRIBE v;
