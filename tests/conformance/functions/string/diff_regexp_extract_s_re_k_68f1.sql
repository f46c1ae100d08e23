SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  REGEXP_EXTRACT(s, '(?i)HELLO', -2) AS c1,
  REGEXP_EXTRACT(s, '[a-z]+', 4) AS c2,
  REGEXP_EXTRACT(s, CAST(NULL AS STRING), 1) AS c3,
  REGEXP_EXTRACT(s, '\d+', 2) AS c4,
  REGEXP_EXTRACT(s, '', 0) AS c5
FROM caststr;
