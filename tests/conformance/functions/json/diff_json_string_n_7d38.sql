SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  JSON_STRING(ti) AS c1,
  JSON_STRING(d) AS c2,
  JSON_STRING(f) AS c3,
  JSON_STRING(dc) AS c4,
  JSON_STRING(si) AS c5
FROM nums;
