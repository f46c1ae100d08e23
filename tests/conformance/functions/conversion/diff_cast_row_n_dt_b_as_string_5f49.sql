SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  CAST(ROW(0.00, dt, TRUE) AS STRING) AS c1,
  CAST(ROW(-2.5E-3, dt, CAST(NULL AS BOOLEAN)) AS STRING) AS c2,
  CAST(ROW(CAST('Infinity' AS DOUBLE), dt, TRUE) AS STRING) AS c3,
  CAST(ROW(CAST(-300 AS SMALLINT), dt, FALSE) AS STRING) AS c4,
  CAST(ROW(CAST(NULL AS INT), dt, TRUE) AS STRING) AS c5
FROM times;
