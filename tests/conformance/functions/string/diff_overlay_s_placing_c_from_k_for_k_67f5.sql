SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  OVERLAY(j PLACING '😀' FROM 7 FOR 3) AS c1,
  OVERLAY(j PLACING 'a' FROM -1 FOR 20) AS c2,
  OVERLAY(j PLACING ',' FROM 7 FOR 2) AS c3,
  OVERLAY(j PLACING 'a' FROM 7 FOR -1) AS c4,
  OVERLAY(j PLACING '😀' FROM 7 FOR -2) AS c5
FROM jsons;
