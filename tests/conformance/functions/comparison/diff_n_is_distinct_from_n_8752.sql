SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  b IS DISTINCT FROM a AS c1,
  b IS DISTINCT FROM CAST('123.45' AS DECIMAL(10, 2)) AS c2,
  b IS DISTINCT FROM CAST(NULL AS INT) AS c3,
  a IS DISTINCT FROM -2.55 AS c4,
  2147483647 IS DISTINCT FROM a AS c5
FROM pairs;
