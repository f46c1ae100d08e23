SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  a - b AS c1,
  a - CAST(1.5 AS FLOAT) AS c2,
  a - 9223372036854775807 AS c3,
  a - a AS c4,
  b - CAST('Infinity' AS DOUBLE) AS c5
FROM pairs;
