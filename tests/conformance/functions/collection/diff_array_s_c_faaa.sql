SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY[s, t] AS c1,
  ARRAY[t, t] AS c2,
  ARRAY[s, ' '] AS c3,
  ARRAY[t, 'ab'] AS c4,
  ARRAY[t, ''] AS c5
FROM strs;
