SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TRIM(BOTH t FROM t) AS c1,
  TRIM(BOTH t FROM '	') AS c2,
  TRIM(BOTH t FROM CAST('ab' AS CHAR(4))) AS c3,
  TRIM(BOTH t FROM s) AS c4,
  TRIM(BOTH t FROM '') AS c5
FROM pairs;
