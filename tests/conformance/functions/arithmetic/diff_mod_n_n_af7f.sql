SET 'table.local-time-zone' = 'UTC';
SELECT
  MOD(127, 2147483647) AS c1;
