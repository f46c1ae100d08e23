SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  TRY_CAST(s AS TIMESTAMP(3)) AS c1
FROM caststr;
