SET 'table.local-time-zone' = 'UTC';
SELECT
  'aXbXc' < 'İIıi' AS c1,
  'a😀b' < ' x ' AS c2,
  '	' < 'ΑΣ' AS c3,
  CAST('abcdef' AS VARCHAR(3)) < 'ǆ ŉ ﬁ' AS c4,
  CAST('ab' AS CHAR(4)) < 'e' || U&'\0301' AS c5;
