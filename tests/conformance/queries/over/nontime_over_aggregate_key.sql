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
SELECT game, c, SUM(c) OVER (ORDER BY game) s FROM (SELECT game, COUNT(*) c FROM scores GROUP BY game);
