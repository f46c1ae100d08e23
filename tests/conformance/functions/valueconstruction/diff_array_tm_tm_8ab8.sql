SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ARRAY[TIME '10:20:30.123', tm] AS c1
FROM times;
