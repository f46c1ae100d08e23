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
SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES LAST(S.price) AS lp, FIRST(S.price) AS fp, COUNT(S.price) AS n, S.volume AS v PATTERN (A B C) SUBSET S = (B, C) DEFINE B AS B.price > A.price) AS m;
