SET 'table.local-time-zone' = 'UTC';
SELECT
  TRIM('2020-02-29') AS c1,
  TRIM(CAST('ab' AS CHAR(4))) AS c2,
  TRIM('straße') AS c3,
  TRIM('	') AS c4;
