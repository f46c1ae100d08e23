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
SELECT player, game, SUM(score) OVER (PARTITION BY game ORDER BY score) s, COUNT(*) OVER (PARTITION BY game ORDER BY score) s2, AVG(score) OVER w a FROM scores WINDOW w AS (PARTITION BY game ORDER BY score);
