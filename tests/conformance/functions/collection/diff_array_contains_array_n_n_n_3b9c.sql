SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ARRAY_CONTAINS(ARRAY[2147483647, bi], ti) AS c1,
  ARRAY_CONTAINS(ARRAY[127, 1E0], dc) AS c2,
  ARRAY_CONTAINS(ARRAY[ti, 127], CAST(5 AS TINYINT)) AS c3,
  ARRAY_CONTAINS(ARRAY[d, i], dc) AS c4,
  ARRAY_CONTAINS(ARRAY[d, ti], 0) AS c5
FROM nums;
