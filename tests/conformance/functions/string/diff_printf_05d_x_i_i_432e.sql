SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  PRINTF('%05d %x', n, n) AS c1,
  PRINTF('%05d %x', 5, n) AS c2,
  PRINTF('%05d %x', 3, n) AS c3,
  PRINTF('%05d %x', n, -2147483648) AS c4,
  PRINTF('%05d %x', 1, n) AS c5
FROM strs;
