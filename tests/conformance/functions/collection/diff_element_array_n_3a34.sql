SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ELEMENT(ARRAY[dc]) AS c1,
  ELEMENT(ARRAY[f]) AS c2,
  ELEMENT(ARRAY[ti]) AS c3,
  ELEMENT(ARRAY[i]) AS c4,
  ELEMENT(ARRAY[d]) AS c5
FROM nums;
