SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ts3 > '2020-01-01 00:00:00' AS c1,
  ts0 > '2020-01-01 00:00:00' AS c2,
  ts9 > '2020-01-01 00:00:00' AS c3,
  ts6 > '2020-01-01 00:00:00' AS c4
FROM times;
