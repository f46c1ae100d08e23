SET 'table.local-time-zone' = 'UTC';
SELECT
  MD5('Hello World') AS c1,
  MD5('İIıi') AS c2,
  MD5('straße') AS c3,
  MD5('e' || U&'\0301') AS c4,
  MD5('2020-02-29') AS c5;
