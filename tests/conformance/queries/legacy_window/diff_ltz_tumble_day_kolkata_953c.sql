SET 'parallelism.default' = '1';
SET 'table.local-time-zone' = 'Asia/Kolkata';
CREATE TABLE dst (
  ms BIGINT,
  k STRING,
  v INT,
  ts AS TO_TIMESTAMP_LTZ(ms, 3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/dst.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT TUMBLE_START(ts, INTERVAL '1' DAY) AS ws, TUMBLE_END(ts, INTERVAL '1' DAY) AS we, COUNT(*) AS c FROM dst GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
