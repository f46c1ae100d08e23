SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  REGEXP_COUNT(s, 'l+') AS c1,
  REGEXP_COUNT(s, '(?i)HELLO') AS c2,
  REGEXP_COUNT(s, '(\w+) (\w+)') AS c3,
  REGEXP_COUNT(s, '[^a]*$') AS c4,
  REGEXP_COUNT(s, CAST(NULL AS STRING)) AS c5
FROM caststr;
