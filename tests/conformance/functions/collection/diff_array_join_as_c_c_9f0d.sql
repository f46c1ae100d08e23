SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_JOIN(ARRAY['Hello', 'é', '😀'], t, CAST(NULL AS STRING)) AS c1
FROM strs;
