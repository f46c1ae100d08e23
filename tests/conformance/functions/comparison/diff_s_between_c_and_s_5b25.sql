SET 'table.local-time-zone' = 'UTC';
SELECT
  'abc' BETWEEN ',' AND 'straße' AS c1,
  '-1.5' BETWEEN '' AND CAST('ab' AS CHAR(4)) AS c2,
  '%_\' BETWEEN 'a' AND 'ΑΣ' AS c3,
  'aXbXc' BETWEEN '😀' AND '-1.5' AS c4,
  'İIıi' BETWEEN '😀' AND 'abc' AS c5;
