SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  COALESCE(i, bi) AS c1,
  COALESCE(db, i) AS c2,
  COALESCE(db, ti) AS c3,
  COALESCE(0.00, i) AS c4,
  COALESCE(f, CAST('-0.0' AS DOUBLE)) AS c5
FROM nums;
