SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  GREATEST(0.5, a) AS c1,
  GREATEST(CAST(1.5 AS FLOAT), a) AS c2,
  GREATEST(b, b) AS c3,
  GREATEST(a, 1E308) AS c4,
  GREATEST(a, a) AS c5
FROM pairs;
