SET 'table.local-time-zone' = 'UTC';
SELECT
  TO_TIMESTAMP_LTZ('2020-2-9') AS c1;
