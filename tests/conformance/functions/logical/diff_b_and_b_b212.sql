SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bools (
  id INT, a BOOLEAN, b BOOLEAN
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/bools.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  a AND a AS c1,
  b AND b AS c2,
  a AND b AS c3,
  b AND a AS c4,
  a AND CAST(NULL AS BOOLEAN) AS c5
FROM bools;
