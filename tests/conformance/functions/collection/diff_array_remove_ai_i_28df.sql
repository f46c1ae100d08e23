SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  ARRAY_REMOVE(ARRAY[1, NULL, 1], n) AS c1,
  ARRAY_REMOVE(ARRAY[3, 1, 2, 1], n) AS c2,
  ARRAY_REMOVE(ARRAY[CAST(NULL AS INT), 1], n) AS c3,
  ARRAY_REMOVE(CAST(NULL AS ARRAY<INT>), n) AS c4,
  ARRAY_REMOVE(ARRAY_REMOVE(ARRAY[1], 1), n) AS c5
FROM strs;
