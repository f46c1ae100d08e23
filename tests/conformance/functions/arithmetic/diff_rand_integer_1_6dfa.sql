SET 'table.local-time-zone' = 'UTC';
SELECT
  RAND_INTEGER(1) AS c1;
