SET 'parallelism.default' = '1';
SET 'execution.runtime-mode' = 'batch';
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
SELECT player, game, score, STDDEV_POP(score) OVER (PARTITION BY game ORDER BY score) s, VAR_SAMP(score) OVER (PARTITION BY game ORDER BY score) v FROM scores;
