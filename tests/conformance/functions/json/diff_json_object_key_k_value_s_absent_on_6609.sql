SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  JSON_OBJECT(KEY 'k' VALUE s ABSENT ON NULL) AS c1
FROM caststr;
