SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  s NOT LIKE '%\%' AS c1,
  t NOT LIKE CAST(NULL AS STRING) AS c2,
  t NOT LIKE '_' AS c3,
  s NOT LIKE '__' AS c4,
  t NOT LIKE '%\%' AS c5
FROM pairs;
