SET 'table.local-time-zone' = 'UTC';
SELECT
  TO_TIMESTAMP_LTZ(0.5, 3) AS c1;
