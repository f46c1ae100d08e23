SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  TO_TIMESTAMP_LTZ(s, 'yyyy-MM-dd HH:mm:ss') AS c1
FROM caststr;
