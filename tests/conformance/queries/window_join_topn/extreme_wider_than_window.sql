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
SELECT B.k, COUNT(*), MAX(B.id) FROM late B JOIN (SELECT MAX(v) AS m, window_end AS e FROM TUMBLE((SELECT * FROM late WHERE v < 45), DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end) M ON B.v = M.m AND B.ts BETWEEN M.e - INTERVAL '11' SECOND AND M.e + INTERVAL '1' SECOND GROUP BY B.k;
