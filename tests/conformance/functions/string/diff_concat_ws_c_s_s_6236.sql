SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  CONCAT_WS('X', s, s) AS c1,
  CONCAT_WS(CAST(NULL AS STRING), s, 'İIıi') AS c2,
  CONCAT_WS(' ', 'Hello World', s) AS c3,
  CONCAT_WS(',', s, '10') AS c4,
  CONCAT_WS('ab', s, 'a,b,,c') AS c5
FROM caststr;
