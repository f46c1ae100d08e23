SET 'table.local-time-zone' = 'UTC';
SELECT
  CHR(100) AS c1,
  CHR(-3) AS c2,
  CHR(0) AS c3,
  CHR(1) AS c4,
  CHR(5) AS c5;
