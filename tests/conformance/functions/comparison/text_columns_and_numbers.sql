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
SELECT player, player > 2.5, player > 2, CAST(score AS STRING) > 2.5, CAST(score AS STRING) > 20, CAST(score AS STRING) > 1E1, CAST(score AS STRING) = 15.0 FROM scores;
