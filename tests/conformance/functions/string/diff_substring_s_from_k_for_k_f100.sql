SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  SUBSTRING('a😀b' FROM a FOR 1) AS c1,
  SUBSTRING(t FROM a FOR a) AS c2,
  SUBSTRING('a😀b' FROM a FOR a) AS c3,
  SUBSTRING(t FROM 0 FOR -2) AS c4,
  SUBSTRING('a,b,,c' FROM 0 FOR a) AS c5
FROM pairs;
