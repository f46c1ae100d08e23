SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST(X'616263' AS TIMESTAMP(0)) AS c1;
