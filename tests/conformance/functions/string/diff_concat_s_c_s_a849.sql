SET 'table.local-time-zone' = 'UTC';
SELECT
  CONCAT('e' || U&'\0301', 'X', '2020-02-29') AS c1,
  CONCAT('10', 'X', 'straße') AS c2,
  CONCAT('ǆ ŉ ﬁ', 'a', 'İIıi') AS c3,
  CONCAT('e' || U&'\0301', 'a', '2020-02-29') AS c4,
  CONCAT('abc', CAST(NULL AS STRING), '%_\') AS c5;
