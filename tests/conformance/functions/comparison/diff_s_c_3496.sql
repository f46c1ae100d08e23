SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  s > ' ' AS c1,
  s > ',' AS c2,
  s > 'a' AS c3,
  s > 'ab' AS c4,
  s > '😀' AS c5
FROM caststr;
