SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT MAX(ts) AS m, TUMBLE_END(ts, INTERVAL '1' MINUTE) AS e FROM late GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
DESCRIBE v;
