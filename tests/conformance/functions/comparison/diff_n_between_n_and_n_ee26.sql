SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ti BETWEEN CAST(NULL AS DOUBLE) AND d AS c1,
  i BETWEEN d AND -2.5E-3 AS c2,
  d BETWEEN d AND si AS c3,
  f BETWEEN db AND 0.5 AS c4,
  d BETWEEN d AND -2.55 AS c5
FROM nums;
