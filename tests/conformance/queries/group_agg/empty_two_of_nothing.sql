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
SELECT COUNT(*) AS n FROM (SELECT * FROM events LIMIT 0) UNION ALL SELECT COUNT(*) FROM events WHERE FALSE;
