SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  SPLIT(s, t) AS c1,
  SPLIT('İIıi', t) AS c2,
  SPLIT(t, t) AS c3,
  SPLIT('Hello World', t) AS c4,
  SPLIT(t, 'ab') AS c5
FROM strs;
