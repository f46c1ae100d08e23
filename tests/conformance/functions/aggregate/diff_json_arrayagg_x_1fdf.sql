SET 'table.local-time-zone' = 'UTC';
CREATE TABLE agg (
  id INT, g STRING, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), s STRING, b BOOLEAN, dt DATE, ts TIMESTAMP(3), tm TIME
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/agg.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  g,
  JSON_ARRAYAGG(ts) AS c1
FROM agg GROUP BY g;
