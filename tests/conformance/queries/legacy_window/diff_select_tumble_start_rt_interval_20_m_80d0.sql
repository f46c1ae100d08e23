SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE events (
  ev_id BIGINT, user_id INT, kind STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/events.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT TUMBLE_START(rt, INTERVAL '20' MINUTE) AS ws, SUM(c) AS c FROM (SELECT HOP_ROWTIME(ts, INTERVAL '10' SECOND, INTERVAL '5' SECOND) AS rt, COUNT(*) AS c FROM events GROUP BY kind, HOP(ts, INTERVAL '10' SECOND, INTERVAL '5' SECOND)) GROUP BY TUMBLE(rt, INTERVAL '20' MINUTE);
