SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (
  id INT,
  k STRING,
  v INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/late.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT B.id, B.v, B.ts, M.e FROM late B JOIN (SELECT MAX(v) AS m, window_end AS e FROM TUMBLE(TABLE late, DESCRIPTOR(ts), INTERVAL '5' SECOND) GROUP BY window_start, window_end) M ON B.v = M.m WHERE B.ts BETWEEN M.e - INTERVAL '5' SECOND AND M.e;
