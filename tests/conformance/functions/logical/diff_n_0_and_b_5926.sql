SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bools (
  id INT, a BOOLEAN, b BOOLEAN
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/bools.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  (2.5 > 0) AND a AS c1,
  (CAST('NaN' AS DOUBLE) > 0) AND b AS c2,
  (2147483647 > 0) AND a AS c3,
  (CAST(-300 AS SMALLINT) > 0) AND a AS c4,
  (CAST(5 AS TINYINT) > 0) AND a AS c5
FROM bools;
