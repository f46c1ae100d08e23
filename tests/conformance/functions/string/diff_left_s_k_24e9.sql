SET 'table.local-time-zone' = 'UTC';
SELECT
  LEFT('TRUE', -1) AS c1,
  LEFT('	', 3) AS c2,
  LEFT(CAST('abcdef' AS VARCHAR(3)), 2) AS c3,
  LEFT('10', -1) AS c4,
  LEFT('İIıi', 2) AS c5;
