SET 'table.local-time-zone' = 'UTC';
SELECT
  ASCII('abc') AS c1,
  ASCII('İIıi') AS c2,
  ASCII('-1.5') AS c3,
  ASCII(CAST('abcdef' AS VARCHAR(3))) AS c4;
