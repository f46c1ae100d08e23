SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE VIEW v AS SELECT CASE WHEN id > 1 THEN ts ELSE TIMESTAMP '2020-01-01 00:00:00.000' END AS a, CASE WHEN id > 1 THEN TIMESTAMP '2020-01-01 00:00:00.000' ELSE ts END AS b, COALESCE(ts, TIMESTAMP '2020-01-01 00:00:00.000') AS c, CASE id WHEN 1 THEN ts WHEN 2 THEN CAST(ts AS TIMESTAMP(3)) END AS d, CASE WHEN id = 1 THEN ts ELSE CAST(ts AS TIMESTAMP(6)) END AS e, (SELECT MAX(ts) FROM late) AS f, TRY_CAST(ts AS TIMESTAMP(3)) AS g, CAST(ts AS TIMESTAMP(6)) AS h, CAST(ts AS STRING) AS i FROM late;
DESCRIBE v;
