SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  JSON_ARRAY(0.5, s, CAST(NULL AS BOOLEAN)) AS c1,
  JSON_ARRAY(CAST(-300 AS SMALLINT), s, TRUE) AS c2,
  JSON_ARRAY(CAST('Infinity' AS DOUBLE), s, TRUE) AS c3,
  JSON_ARRAY(0.5, s, FALSE) AS c4,
  JSON_ARRAY(-2.55, s, FALSE) AS c5
FROM caststr;
