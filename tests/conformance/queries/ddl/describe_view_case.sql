SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT CASE WHEN id > 1 THEN ts ELSE NULL END AS c, COALESCE(ts, ts) AS d, ts + INTERVAL '1' SECOND AS e FROM late;
DESCRIBE v;
