SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  TRIM(LEADING ',' FROM s) AS c1,
  TRIM(LEADING CAST(NULL AS STRING) FROM s) AS c2,
  TRIM(LEADING 'a' FROM s) AS c3,
  TRIM(LEADING 'X' FROM s) AS c4,
  TRIM(LEADING '' FROM s) AS c5
FROM caststr;
