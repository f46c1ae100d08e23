SET 'table.local-time-zone' = 'UTC';
SELECT
  TO_TIMESTAMP_LTZ('25:00:00', 'yyyy-MM-dd HH:mm:ss', '+02:00') AS c1;
