SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ASIN(si) AS c1,
  ASIN(ti) AS c2,
  ASIN(dc) AS c3,
  ASIN(d) AS c4,
  ASIN(f) AS c5
FROM nums;
