SET 'table.local-time-zone' = 'UTC';
SELECT
  TO_TIMESTAMP_LTZ(0, 0) AS c1,
  TO_TIMESTAMP_LTZ(2, 0) AS c2,
  TO_TIMESTAMP_LTZ(3, 0) AS c3;
