SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bools (
  id INT, a BOOLEAN, b BOOLEAN
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/bools.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TYPEOF(IF(b, '', '😀')) AS c1,
  TYPEOF(IF(a, 'straße', 'X')) AS c2,
  TYPEOF(IF(b, ' x ', '')) AS c3,
  TYPEOF(IF(b, 'ǆ ŉ ﬁ', CAST(NULL AS STRING))) AS c4,
  TYPEOF(IF(b, 'straße', '😀')) AS c5
FROM bools;
