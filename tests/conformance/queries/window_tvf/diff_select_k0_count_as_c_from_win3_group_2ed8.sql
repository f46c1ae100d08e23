SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE dups (
  id STRING, val INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/dups.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT id, COUNT(*) AS c FROM HOP(TABLE dups, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '5' SECOND, INTERVAL '1' SECOND) GROUP BY id, window_start;
