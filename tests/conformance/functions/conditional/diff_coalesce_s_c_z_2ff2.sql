SET 'table.local-time-zone' = 'UTC';
SELECT
  COALESCE('	', '😀', 'z') AS c1,
  COALESCE('%_\', 'ab', 'z') AS c2,
  COALESCE('2020-02-29', ' ', 'z') AS c3,
  COALESCE('', '', 'z') AS c4,
  COALESCE('2020-02-29', '', 'z') AS c5;
