SET 'table.local-time-zone' = 'UTC';
SELECT
  X'616263' = X'00ff' AS c1,
  CAST('é' AS BYTES) = X'' AS c2,
  X'00ff' = X'00ff' AS c3,
  X'00ff' = X'' AS c4,
  X'00ff' = CAST(NULL AS BYTES) AS c5;
