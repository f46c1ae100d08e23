SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TYPEOF(ts3 + INTERVAL '0' HOUR) AS c1,
  TYPEOF(ts9 + INTERVAL '-1 02:03:04.567' DAY TO SECOND) AS c2,
  TYPEOF(ts9 + INTERVAL '90' MINUTE) AS c3,
  TYPEOF(ts3 + INTERVAL '1' DAY) AS c4,
  TYPEOF(ts6 + INTERVAL '1' DAY) AS c5
FROM times;
