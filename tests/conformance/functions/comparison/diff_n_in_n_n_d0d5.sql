SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  a IN (1E0, CAST('Infinity' AS DOUBLE)) AS c1
FROM pairs;
