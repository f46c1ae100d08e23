SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  1.5 <> a AS c1,
  a <> b AS c2,
  CAST('-0.0' AS DOUBLE) <> b AS c3,
  a <> CAST('123.45' AS DECIMAL(10, 2)) AS c4,
  a <> a AS c5
FROM pairs;
