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
SELECT AVG(amount) AS a FROM events WHERE FALSE;
