CREATE TABLE ticks (
  symbol STRING,
  price INT,
  volume INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/ticks.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES SUM(A.price * B.volume) AS s PATTERN (A+ B) DEFINE A AS A.price > 12, B AS B.price <= 12) AS m;
