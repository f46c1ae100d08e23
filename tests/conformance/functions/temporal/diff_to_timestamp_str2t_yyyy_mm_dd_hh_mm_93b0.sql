SET 'table.local-time-zone' = 'America/Los_Angeles';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  TO_TIMESTAMP(s, 'yyyy-MM-dd HH:mm:ss') AS c1
FROM caststr;
