SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  GREATEST(s, 'TRUE') AS c1,
  GREATEST(t, t) AS c2,
  GREATEST(s, s) AS c3,
  GREATEST(t, s) AS c4,
  GREATEST(s, t) AS c5
FROM strs;
