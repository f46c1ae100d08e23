SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  s LIKE 'H%d' AS c1,
  t LIKE '%o%' AS c2,
  s LIKE '_bc' AS c3,
  s LIKE '%o%' AS c4,
  t LIKE '__' AS c5
FROM strs;
