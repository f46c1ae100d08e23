SET 'table.local-time-zone' = 'UTC';
SELECT
  JSON_QUOTE('ǆ ŉ ﬁ') AS c1,
  JSON_QUOTE('	') AS c2,
  JSON_QUOTE('abc') AS c3,
  JSON_QUOTE('İIıi') AS c4,
  JSON_QUOTE(CAST('ab' AS CHAR(4))) AS c5;
