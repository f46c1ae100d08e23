SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  DATE_FORMAT(ts3, 'yy-M-d h:m:s a') AS c1,
  DATE_FORMAT(ts3, '''x'' yyyy') AS c2,
  DATE_FORMAT(ts6, 'D w E') AS c3,
  DATE_FORMAT(ts0, 'yyyy/MM/dd') AS c4,
  DATE_FORMAT(ts3, 'EEEE MMMM') AS c5
FROM times;
