SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  TO_TIMESTAMP_LTZ(n, 3) AS c1
FROM strs;
