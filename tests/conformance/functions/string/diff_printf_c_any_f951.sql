SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  PRINTF('ab', bi) AS c1,
  PRINTF('a', bi) AS c2,
  PRINTF('ab', dc) AS c3,
  PRINTF('', dc) AS c4,
  PRINTF('😀', bi) AS c5
FROM nums;
