SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  d NOT BETWEEN dc AND -7 AS c1,
  CAST(1.5 AS FLOAT) NOT BETWEEN ti AND d AS c2,
  CAST(-0.5 AS DECIMAL(3,1)) NOT BETWEEN i AND f AS c3,
  si NOT BETWEEN bi AND ti AS c4,
  i NOT BETWEEN si AND i AS c5
FROM nums;
