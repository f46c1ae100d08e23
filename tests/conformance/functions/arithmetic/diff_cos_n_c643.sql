SET 'table.local-time-zone' = 'UTC';
SELECT
  COS(-2.55) AS c1,
  COS(9223372036854775807) AS c2,
  COS(1E0) AS c3,
  COS(1.5) AS c4,
  COS(0.00) AS c5;
