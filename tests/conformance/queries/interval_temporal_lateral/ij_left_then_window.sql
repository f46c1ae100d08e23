SET 'parallelism.default' = '1';
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
CREATE TABLE b (id INT, v INT) WITH ('connector' = 'filesystem', 'path' = '${DATA}/bad.csv', 'format' = 'csv');
SELECT window_start, COUNT(*) FROM TUMBLE((SELECT a.id, b.ts FROM late a LEFT JOIN late b ON a.k = b.k AND a.ts BETWEEN b.ts - INTERVAL '3' SECOND AND b.ts WHERE b.ts IS NOT NULL), DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end;
