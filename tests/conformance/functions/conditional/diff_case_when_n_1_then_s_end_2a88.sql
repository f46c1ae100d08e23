SET 'table.local-time-zone' = 'UTC';
SELECT
  CASE WHEN CAST(-300 AS SMALLINT) > 1 THEN 'a,b,,c' END AS c1,
  CASE WHEN -2.55 > 1 THEN 'a,b,,c' END AS c2,
  CASE WHEN 1.5 > 1 THEN '	' END AS c3,
  CASE WHEN 127 > 1 THEN ' x ' END AS c4,
  CASE WHEN -2.5E-3 > 1 THEN 'a,b,,c' END AS c5;
