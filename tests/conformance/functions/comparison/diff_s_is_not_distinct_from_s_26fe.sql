SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  'Hello World' IS NOT DISTINCT FROM s AS c1,
  s IS NOT DISTINCT FROM 'e' || U&'\0301' AS c2,
  'aXbXc' IS NOT DISTINCT FROM s AS c3,
  'ΑΣ' IS NOT DISTINCT FROM s AS c4,
  t IS NOT DISTINCT FROM 'Hello World' AS c5
FROM pairs;
