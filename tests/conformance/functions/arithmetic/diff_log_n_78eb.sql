SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  LOG(d) AS c1,
  LOG(ti) AS c2,
  LOG(i) AS c3,
  LOG(bi) AS c4,
  LOG(f) AS c5
FROM nums;
