SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bools (
  id INT, a BOOLEAN, b BOOLEAN
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/bools.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  CAST(a AS TIMESTAMP(0)) AS c1
FROM bools;
