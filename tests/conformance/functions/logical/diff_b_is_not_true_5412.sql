SET 'table.local-time-zone' = 'UTC';
SELECT
  TRUE IS NOT TRUE AS c1,
  FALSE IS NOT TRUE AS c2;
