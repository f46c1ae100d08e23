SET 'table.local-time-zone' = 'UTC';
SELECT
  SUBSTRING('aXbXc', 1) AS c1,
  SUBSTRING(' x ', CAST(NULL AS INT)) AS c2,
  SUBSTRING('%_\', -2) AS c3,
  SUBSTRING(' x ', 0) AS c4,
  SUBSTRING('aXbXc', 20) AS c5;
