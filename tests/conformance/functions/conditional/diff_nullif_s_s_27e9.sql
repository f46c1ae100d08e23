SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  NULLIF(s, 'a😀b') AS c1,
  NULLIF(t, s) AS c2,
  NULLIF('Hello World', s) AS c3,
  NULLIF(t, t) AS c4,
  NULLIF(s, s) AS c5
FROM strs;
