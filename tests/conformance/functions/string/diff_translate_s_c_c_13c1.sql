SET 'table.local-time-zone' = 'UTC';
CREATE TABLE pairs (
  id INT, a INT, b INT, s STRING, t STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/pairs.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  TRANSLATE(t, t, t) AS c1,
  TRANSLATE(t, t, '😀') AS c2,
  TRANSLATE(s, t, '😀') AS c3,
  TRANSLATE('ǆ ŉ ﬁ', t, t) AS c4,
  TRANSLATE(s, 'a', t) AS c5
FROM pairs;
