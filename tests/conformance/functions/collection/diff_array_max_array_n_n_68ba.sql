SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ARRAY_MAX(ARRAY[db, CAST(NULL AS INT)]) AS c1,
  ARRAY_MAX(ARRAY[ti, db]) AS c2,
  ARRAY_MAX(ARRAY[dc, ti]) AS c3,
  ARRAY_MAX(ARRAY[si, bi]) AS c4,
  ARRAY_MAX(ARRAY[dc, f]) AS c5
FROM nums;
