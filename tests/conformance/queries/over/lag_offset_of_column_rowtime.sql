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
SELECT player, game, score, LAG(score, CHAR_LENGTH(game) - 2) OVER (PARTITION BY game ORDER BY ts) AS l, LAG(score, CASE WHEN ts > TIMESTAMP '2024-08-01 00:00:09' THEN 3 ELSE 1 END) OVER (PARTITION BY game ORDER BY ts) AS m FROM scores;
