SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE ticks (
  symbol STRING, price INT, volume INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/ticks.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT TUMBLE_START(rt, INTERVAL '20' MINUTE) AS ws, SUM(c) AS c FROM (SELECT HOP_ROWTIME(ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND) AS rt, COUNT(*) AS c FROM ticks GROUP BY symbol, HOP(ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND)) GROUP BY TUMBLE(rt, INTERVAL '20' MINUTE);
