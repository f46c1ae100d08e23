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
SELECT a.id, b.id FROM late a FULL JOIN late b ON a.k = b.k AND a.id < b.id AND a.ts > b.ts - INTERVAL '3' SECOND AND a.ts <= b.ts + INTERVAL '1' SECOND;
