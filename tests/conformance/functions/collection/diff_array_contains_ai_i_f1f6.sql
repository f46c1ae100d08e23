SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ARRAY_CONTAINS(ARRAY[1, 2, 3], i) AS c1,
  ARRAY_CONTAINS(ARRAY_REMOVE(ARRAY[1], 1), si) AS c2,
  ARRAY_CONTAINS(ARRAY[1, 2, 3], si) AS c3,
  ARRAY_CONTAINS(ARRAY[1, NULL, 1], si) AS c4,
  ARRAY_CONTAINS(ARRAY_REMOVE(ARRAY[1], 1), i) AS c5
FROM nums;
