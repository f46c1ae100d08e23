SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), m AS FLOOR(ts TO MINUTE), WATERMARK FOR m AS m) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id, k, RANK() OVER (PARTITION BY k ORDER BY m) AS r FROM late;
