SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bools (
  id INT, a BOOLEAN, b BOOLEAN
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/bools.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  b = a AS c1,
  a = TRUE AS c2,
  a = a AS c3,
  a = b AS c4,
  b = b AS c5
FROM bools;
