SET 'table.local-time-zone' = 'UTC';
SELECT
  X'' < CAST('é' AS BYTES) AS c1,
  X'' < CAST(NULL AS BYTES) AS c2,
  CAST(NULL AS BYTES) < CAST('é' AS BYTES) AS c3,
  CAST(NULL AS BYTES) < X'' AS c4,
  X'68656c6c6f' < X'616263' AS c5;
