SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  RTRIM(s, 'a') AS c1,
  RTRIM(s, t) AS c2,
  RTRIM(s, '') AS c3,
  RTRIM(t, t) AS c4,
  RTRIM(s, ' ') AS c5
FROM strs;
