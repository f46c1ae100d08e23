SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  STARTSWITH(t, t) AS c1,
  STARTSWITH(s, '') AS c2,
  STARTSWITH(s, t) AS c3,
  STARTSWITH(s, '😀') AS c4,
  STARTSWITH(s, 'a') AS c5
FROM strs;
