SET 'table.local-time-zone' = 'UTC';
SELECT
  TRIM(TRAILING CAST(NULL AS STRING) FROM '-1.5') AS c1,
  TRIM(TRAILING 'X' FROM ' x ') AS c2,
  TRIM(TRAILING '' FROM '10') AS c3,
  TRIM(TRAILING 'a' FROM 'aXbXc') AS c4,
  TRIM(TRAILING ' ' FROM 'Hello World') AS c5;
