SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT PROCTIME() AS p, PROCTIME() + INTERVAL '1' DAY AS q, FLOOR(PROCTIME() TO DAY) AS r, COALESCE(PROCTIME(), PROCTIME()) AS s, CASE WHEN id > 1 THEN PROCTIME() END AS t, MAX(PROCTIME()) OVER (PARTITION BY k ORDER BY ts) AS u FROM late;
DESCRIBE v;
