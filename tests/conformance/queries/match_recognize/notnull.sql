CREATE TABLE ticks (
  symbol STRING,
  price INT NOT NULL,
  volume INT NOT NULL,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/ticks.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL','csv.ignore-parse-errors'='true'
);
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES A.volume AS av, R.volume AS rv, LAST(A.volume,3) AS l3 PATTERN (A R? B) DEFINE R AS R.price > A.price + 100, B AS B.price > A.price) AS m;
