SET 'table.local-time-zone' = 'UTC';
SELECT
  CEIL(DATE '1969-12-31' TO SECOND) AS c1;
