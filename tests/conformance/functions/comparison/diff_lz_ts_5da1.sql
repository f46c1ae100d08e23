SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TO_TIMESTAMP_LTZ(0, 3) = ts3 AS c1,
  lz = ts6 AS c2,
  lz = ts0 AS c3,
  lz = ts9 AS c4,
  TO_TIMESTAMP_LTZ(1615717800, 0) = ts0 AS c5
FROM times;
