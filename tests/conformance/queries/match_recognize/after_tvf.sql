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
SELECT * FROM (SELECT symbol, window_time AS wt, SUM(price) AS p FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY symbol, window_start, window_end, window_time) MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY wt MEASURES A.p AS a, B.p AS b PATTERN (A B) DEFINE B AS B.p > A.p) AS m;