SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  (dt, dt) OVERLAPS (dt, INTERVAL '1' DAY) AS c1,
  (DATE '9999-12-31', dt) OVERLAPS (dt, INTERVAL '5' SECONDS) AS c2,
  (dt, DATE '0001-01-01') OVERLAPS (dt, INTERVAL '-1 02:03:04.567' DAY TO SECOND) AS c3,
  (dt, dt) OVERLAPS (dt, INTERVAL '0' HOUR) AS c4,
  (DATE '0001-01-01', dt) OVERLAPS (dt, INTERVAL '1.5' SECOND) AS c5
FROM times;
