SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  a IN (b, b) AS c1,
  CAST(NULL AS INT) IN (a, CAST('NaN' AS DOUBLE)) AS c2,
  b IN (a, a) AS c3,
  b IN (b, CAST(NULL AS DOUBLE)) AS c4,
  a IN (b, a) AS c5
FROM pairs;
