SET 'parallelism.default' = '1';
CREATE TABLE scores (
  player STRING,
  game STRING,
  score INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/scores.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT player, game, x, VAR_POP(x) OVER w AS f0, VAR_SAMP(x) OVER w AS f1, STDDEV_POP(x) OVER w AS f2, STDDEV_SAMP(x) OVER w AS f3 FROM (SELECT player, game, ts, CAST(score AS DOUBLE) AS x FROM scores) WINDOW w AS (PARTITION BY game ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW);
