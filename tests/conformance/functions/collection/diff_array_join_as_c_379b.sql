SET 'table.local-time-zone' = 'UTC';
SELECT
  ARRAY_JOIN(CAST(NULL AS ARRAY<STRING>), '😀') AS c1;
