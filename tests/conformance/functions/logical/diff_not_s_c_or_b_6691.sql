SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  NOT (s = '') OR TRUE AS c1,
  NOT (s = ',') OR TRUE AS c2,
  NOT (s = '😀') OR TRUE AS c3,
  NOT (s = 'X') OR CAST(NULL AS BOOLEAN) AS c4,
  NOT (s = '') OR CAST(NULL AS BOOLEAN) AS c5
FROM caststr;
