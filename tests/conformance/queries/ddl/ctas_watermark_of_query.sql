CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE c2 (WATERMARK FOR ts AS ts) WITH ('connector' = 'blackhole') AS SELECT id, ts FROM late; DESCRIBE c2;
