SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  SUBSTRING(s FROM n) AS c1,
  SUBSTRING('%_\' FROM n) AS c2,
  SUBSTRING(t FROM CAST(NULL AS INT)) AS c3,
  SUBSTRING(s FROM 20) AS c4,
  SUBSTRING(t FROM n) AS c5
FROM strs;
