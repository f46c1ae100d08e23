SET 'table.local-time-zone' = 'UTC';
SELECT
  PRINTF('%s|%d|%5.2f', 'ΑΣ', 10, 1E10) AS c1,
  PRINTF('%s|%d|%5.2f', '	', 3, CAST('NaN' AS DOUBLE)) AS c2,
  PRINTF('%s|%d|%5.2f', '-1.5', 5, -0.005E0) AS c3,
  PRINTF('%s|%d|%5.2f', 'İIıi', -3, CAST('NaN' AS DOUBLE)) AS c4,
  PRINTF('%s|%d|%5.2f', '%_\', 3, -0.005E0) AS c5;
