SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE late (
  id INT,
  k STRING,
  v INT,
  t STRING,
  w AS MOD(v, 40),
  ts AS CAST(t AS TIMESTAMP(3)),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/late.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT B.id, B.k, B.w, M.e FROM (SELECT * FROM late WHERE k <> 'b') B JOIN (SELECT MIN(w) AS m, window_start AS s, window_end AS e FROM HOP(TABLE late, DESCRIPTOR(ts), INTERVAL '4' SECOND, INTERVAL '8' SECOND) GROUP BY window_start, window_end) M ON B.w = M.m AND B.ts >= M.s AND B.ts < M.s + INTERVAL '8' SECOND;
