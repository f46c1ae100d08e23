SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  FLOOR(ts3 TO QUARTER) AS c1,
  FLOOR(ts6 TO HOUR) AS c2,
  FLOOR(ts6 TO SECOND) AS c3,
  FLOOR(ts3 TO MILLISECOND) AS c4,
  FLOOR(ts9 TO HOUR) AS c5
FROM times;
