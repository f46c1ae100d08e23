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
SELECT M.e, B.id, B.w FROM (SELECT MAX(w) AS m, window_end AS e FROM CUMULATE(TABLE late, DESCRIPTOR(ts), INTERVAL '3' SECOND, INTERVAL '9' SECOND) GROUP BY window_start, window_end HAVING MAX(w) > 25) M JOIN late B ON M.m = B.w AND M.e > B.ts AND M.e <= B.ts + INTERVAL '9' SECOND;
