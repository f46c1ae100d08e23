SET 'parallelism.default' = '1';
CREATE TABLE late (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '${DATA}/late.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE MATERIALIZED TABLE mt PARTITIONED BY (k) WITH ('connector' = 'blackhole') FRESHNESS = INTERVAL '1' MINUTE AS SELECT id, k, v + 1 AS w FROM late;
ALTER TABLE mt ADD (z INT);
