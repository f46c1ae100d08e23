SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  (si, CAST('abcdef' AS VARCHAR(3))) AS c1,
  (ti, 'abc') AS c2,
  (ti, 'İIıi') AS c3,
  (si, 'ΑΣ') AS c4,
  (i, '10') AS c5
FROM nums;
