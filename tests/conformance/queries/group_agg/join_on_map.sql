SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT a.id, b.id AS i2 FROM late a JOIN late b ON MAP[a.k, 1] = MAP[b.k, 1] WHERE a.id < 4 AND b.id < 4;
