SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  d * CAST(-0.5 AS DECIMAL(3,1)) AS c1,
  1.5 * d AS c2,
  d * CAST('-0.0' AS DOUBLE) AS c3,
  f * f AS c4,
  1E308 * f AS c5
FROM fps;
