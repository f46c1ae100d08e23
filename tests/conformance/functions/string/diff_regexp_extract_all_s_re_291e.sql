SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  REGEXP_EXTRACT_ALL(s, '[^a]*$') AS c1,
  REGEXP_EXTRACT_ALL(t, '[^a]*$') AS c2,
  REGEXP_EXTRACT_ALL(s, '[a-z]+') AS c3,
  REGEXP_EXTRACT_ALL(t, 'a') AS c4,
  REGEXP_EXTRACT_ALL(t, '\d+') AS c5
FROM pairs;
