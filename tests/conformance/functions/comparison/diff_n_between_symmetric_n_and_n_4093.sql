SET 'table.local-time-zone' = 'UTC';
SELECT
  0.5 BETWEEN SYMMETRIC 0.5 AND 1.5 AS c1;
