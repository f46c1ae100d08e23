SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE events (
  ev_id BIGINT,
  user_id INT,
  kind STRING,
  amount INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/events.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE b (id INT, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/bad.csv', 'format' = 'csv');
SELECT a.window_start, a.kind, a.c, b.c FROM (SELECT window_start, window_end, kind, COUNT(*) c FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, kind) a LEFT JOIN (SELECT window_start, window_end, kind, COUNT(*) c FROM TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND) WHERE amount > 150 GROUP BY window_start, window_end, kind) b ON a.kind = b.kind AND a.window_start = b.window_start AND a.window_end = b.window_end;
