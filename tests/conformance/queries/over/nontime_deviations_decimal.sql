SET 'parallelism.default' = '1';
CREATE TABLE scores (
  player STRING,
  game STRING,
  score INT,
  ts TIMESTAMP(3)
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/scores.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT player, game, ts, x, VAR_POP(x) OVER w AS f0, VAR_SAMP(x) OVER w AS f1, STDDEV_POP(x) OVER w AS f2, STDDEV_SAMP(x) OVER w AS f3 FROM (SELECT player, game, ts, CAST(score * 1.37 AS DECIMAL(10, 2)) AS x FROM scores) WINDOW w AS (PARTITION BY game ORDER BY player);
