SET 'table.local-time-zone' = 'UTC';
CREATE TABLE nums (
  id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/nums.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TYPEOF(COALESCE(si, f)) AS c1,
  TYPEOF(COALESCE(db, ti)) AS c2,
  TYPEOF(COALESCE(d, si)) AS c3,
  TYPEOF(COALESCE(dc, i)) AS c4,
  TYPEOF(COALESCE(bi, CAST(1.5 AS FLOAT))) AS c5
FROM nums;
