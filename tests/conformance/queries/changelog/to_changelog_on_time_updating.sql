SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW g AS SELECT k, MAX(v) AS v FROM late GROUP BY k;
SELECT * FROM TO_CHANGELOG(input => TABLE g, on_time => DESCRIPTOR(k));
