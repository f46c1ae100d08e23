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
SELECT COUNT(*) AS n FROM events a LEFT JOIN events b ON a.ev_id = b.ev_id AND FALSE;
