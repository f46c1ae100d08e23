SET 'table.local-time-zone' = 'UTC';
SELECT
  PRINTF('%d', '-1.5') AS c1,
  PRINTF('%d', '2020-02-29') AS c2,
  PRINTF('%d', ' x ') AS c3,
  PRINTF('%d', '%_\') AS c4;
