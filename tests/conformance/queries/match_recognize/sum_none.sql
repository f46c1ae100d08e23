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
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES COUNT(R.price) AS n, SUM(R.price) AS s, MIN(R.price) AS mn, AVG(R.price) AS av PATTERN (A R? B) DEFINE R AS R.price > 1000, B AS B.price > A.price) AS m;
