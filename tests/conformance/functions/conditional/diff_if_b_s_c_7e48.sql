SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  IF(FALSE, s, ' ') AS c1,
  IF(CAST(NULL AS BOOLEAN), s, ',') AS c2,
  IF(TRUE, s, 'a') AS c3,
  IF(FALSE, s, '') AS c4,
  IF(CAST(NULL AS BOOLEAN), s, '') AS c5
FROM caststr;
