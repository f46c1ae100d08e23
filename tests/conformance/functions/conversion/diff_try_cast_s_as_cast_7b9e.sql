SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('Hello World' AS VARBINARY(2)) AS c1,
  TRY_CAST('İIıi' AS BYTES) AS c2,
  TRY_CAST('TRUE' AS DECIMAL(12, 3)) AS c3,
  TRY_CAST(CAST('abcdef' AS VARCHAR(3)) AS BINARY(4)) AS c4,
  TRY_CAST('%_\' AS BYTES) AS c5;
