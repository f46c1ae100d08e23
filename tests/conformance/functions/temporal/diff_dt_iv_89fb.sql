SET 'table.local-time-zone' = 'UTC';
SELECT
  DATE '1970-01-01' - INTERVAL '90' MINUTE AS c1;
