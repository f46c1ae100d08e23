SET 'parallelism.default' = '1';
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
SELECT TUMBLE_START(ts, INTERVAL '30' MINUTE) AS ws, kind, COUNT(*) FILTER (WHERE amount > 100) AS big FROM events GROUP BY kind, TUMBLE(ts, INTERVAL '1' MINUTE) HAVING COUNT(*) >= 4;
