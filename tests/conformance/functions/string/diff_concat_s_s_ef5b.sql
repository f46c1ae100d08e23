SET 'table.local-time-zone' = 'UTC';
SELECT
  CONCAT('10', '	') AS c1,
  CONCAT(CAST('abcdef' AS VARCHAR(3)), CAST('ab' AS CHAR(4))) AS c2,
  CONCAT('10', '10') AS c3,
  CONCAT(CAST('ab' AS CHAR(4)), '-1.5') AS c4,
  CONCAT(CAST(NULL AS STRING), 'İIıi') AS c5;
