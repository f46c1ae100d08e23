SET 'table.local-time-zone' = 'UTC';
SELECT
  UPPER('Hello World') AS c1,
  UPPER(' x ') AS c2,
  UPPER(CAST(NULL AS STRING)) AS c3,
  UPPER('e' || U&'\0301') AS c4,
  UPPER('TRUE') AS c5;
