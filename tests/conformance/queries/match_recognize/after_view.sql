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
CREATE TEMPORARY VIEW v AS SELECT symbol, price * 2 AS p2, ts FROM ticks WHERE price IS NOT NULL;
SELECT * FROM v MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES A.p2 AS a, B.p2 AS b PATTERN (A B) DEFINE B AS B.p2 > A.p2) AS m;