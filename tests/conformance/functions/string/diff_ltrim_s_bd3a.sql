SET 'table.local-time-zone' = 'UTC';
SELECT
  LTRIM('İIıi') AS c1,
  LTRIM('%_\') AS c2,
  LTRIM('TRUE') AS c3,
  LTRIM('straße') AS c4;
