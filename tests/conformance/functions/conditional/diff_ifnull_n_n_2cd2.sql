SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  IFNULL(f, d) AS c1,
  IFNULL(CAST('NaN' AS DOUBLE), f) AS c2,
  IFNULL(d, f) AS c3,
  IFNULL(f, f) AS c4,
  IFNULL(CAST('-0.0' AS DOUBLE), d) AS c5
FROM fps;
