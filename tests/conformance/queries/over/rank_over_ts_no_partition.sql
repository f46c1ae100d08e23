SET 'parallelism.default' = '1';
CREATE TABLE scores (name STRING, game STRING, points INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/scores.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT name, game, points, RANK() OVER (ORDER BY ts) AS r FROM scores;
