SET 'table.local-time-zone' = 'UTC';
SELECT
  REPLACE('İIıi', '', 'X') AS c1,
  REPLACE('straße', ' ', ' ') AS c2,
  REPLACE('straße', 'a', '') AS c3,
  REPLACE('abc', ' ', 'ab') AS c4,
  REPLACE(CAST('abcdef' AS VARCHAR(3)), ' ', ',') AS c5;
