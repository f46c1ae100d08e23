SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  LEAST('abc', t) AS c1,
  LEAST(s, t) AS c2,
  LEAST(t, t) AS c3,
  LEAST('İIıi', t) AS c4,
  LEAST(s, ' ') AS c5
FROM strs;
