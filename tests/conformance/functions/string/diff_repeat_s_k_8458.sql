SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  REPEAT(s, 20) AS c1,
  REPEAT(s, -2) AS c2,
  REPEAT(s, CAST(NULL AS INT)) AS c3,
  REPEAT(s, -1) AS c4,
  REPEAT(s, 7) AS c5
FROM caststr;
