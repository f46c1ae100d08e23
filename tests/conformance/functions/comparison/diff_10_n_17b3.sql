SET 'table.local-time-zone' = 'UTC';
SELECT
  '10' > 1E0 AS c1,
  '10' > CAST(5 AS TINYINT) AS c2,
  '10' > CAST(-300 AS SMALLINT) AS c3;
