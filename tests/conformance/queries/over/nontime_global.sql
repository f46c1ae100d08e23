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
SELECT player, game, score, COUNT(*) OVER (ORDER BY player) s, AVG(score) OVER (ORDER BY player) a, MIN(score) OVER (ORDER BY player) mi, MAX(score) OVER (ORDER BY player) m FROM scores;
