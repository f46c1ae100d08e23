SET 'table.local-time-zone' = 'UTC';
SELECT
  FROM_BASE64('') AS c1;
