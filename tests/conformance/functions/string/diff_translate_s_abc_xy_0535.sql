SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TRANSLATE(t, 'abc', 'xy') AS c1,
  TRANSLATE(s, 'abc', 'xy') AS c2
FROM pairs;
