SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  INSTR(s, ',') AS c1,
  INSTR(s, '😀') AS c2,
  INSTR(s, 'X') AS c3,
  INSTR(s, ' ') AS c4,
  INSTR(s, '') AS c5
FROM caststr;
