SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  DATE_FORMAT(lz, 'e') AS c1,
  DATE_FORMAT(lz, 'yy-M-d h:m:s a') AS c2,
  DATE_FORMAT(lz, 'SSSSSS') AS c3,
  DATE_FORMAT(lz, 'D w E') AS c4,
  DATE_FORMAT(lz, 'EEE, d MMM yyyy') AS c5
FROM times;
