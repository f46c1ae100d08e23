SET 'table.local-time-zone' = 'UTC';
CREATE TABLE times (
  id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/times.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TIMESTAMPDIFF(MINUTE, ts6, ts6) AS c1,
  TIMESTAMPDIFF(SECOND, ts0, TIMESTAMP '0001-01-01 00:00:01') AS c2,
  TIMESTAMPDIFF(MONTH, ts3, TIMESTAMP '0001-01-01 00:00:01') AS c3,
  TIMESTAMPDIFF(MONTH, ts0, ts3) AS c4,
  TIMESTAMPDIFF(SECOND, ts6, ts6) AS c5
FROM times;
