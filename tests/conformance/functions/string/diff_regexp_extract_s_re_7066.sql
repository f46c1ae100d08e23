SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  REGEXP_EXTRACT(s, '(?i)HELLO') AS c1,
  REGEXP_EXTRACT(t, '(b|c)?') AS c2,
  REGEXP_EXTRACT(t, '(\w+) (\w+)') AS c3,
  REGEXP_EXTRACT(t, '[^a]*$') AS c4,
  REGEXP_EXTRACT(s, '(b|c)?') AS c5
FROM pairs;
