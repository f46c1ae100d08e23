SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  LPAD(s, -1, t) AS c1,
  LPAD(s, n, 'a') AS c2,
  LPAD('a😀b', n, 'a') AS c3,
  LPAD(t, n, t) AS c4,
  LPAD(s, n, t) AS c5
FROM strs;
