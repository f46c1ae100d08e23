SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  DECODE(ENCODE(s, 'UTF-8'), 'UTF-8') AS c1
FROM caststr;
