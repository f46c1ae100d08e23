SET 'parallelism.default' = '1';
CREATE TABLE wl (
  ts TIMESTAMP(3),
  num INT,
  id STRING,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/wl.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE wr (
  ts TIMESTAMP(3),
  num INT,
  id STRING,
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/wr.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT L.num, L.id, R.id, COALESCE(L.window_start, R.window_start) FROM (SELECT * FROM TUMBLE(TABLE wl, DESCRIPTOR(ts), INTERVAL '5' SECONDS)) L FULL JOIN (SELECT * FROM TUMBLE(TABLE wr, DESCRIPTOR(ts), INTERVAL '5' SECONDS)) R ON L.num = R.num AND L.window_start = R.window_start AND L.window_end = R.window_end;
