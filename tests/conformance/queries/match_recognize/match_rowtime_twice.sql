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
CREATE TEMPORARY VIEW v AS SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES MATCH_ROWTIME() AS rt, B.price AS b PATTERN (A B) DEFINE B AS B.price > A.price) AS m;
SELECT * FROM v MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY rt MEASURES C.b AS c, D.b AS d PATTERN (C D) DEFINE D AS D.b > C.b) AS m;