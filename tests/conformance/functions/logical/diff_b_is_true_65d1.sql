SET 'table.local-time-zone' = 'UTC';
SELECT
  TRUE IS TRUE AS c1,
  CAST(NULL AS BOOLEAN) IS TRUE AS c2;
