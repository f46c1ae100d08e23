SET 'table.local-time-zone' = 'UTC';
SELECT
  UPPER('straße') AS c1;
