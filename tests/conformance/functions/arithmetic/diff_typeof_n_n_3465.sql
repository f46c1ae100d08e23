SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TYPEOF(b + 1.5) AS c1,
  TYPEOF(9223372036854775807 + b) AS c2,
  TYPEOF(b + a) AS c3,
  TYPEOF(a + b) AS c4,
  TYPEOF(-2.55 + a) AS c5
FROM pairs;
