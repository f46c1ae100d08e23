SET 'table.local-time-zone' = 'UTC';
SELECT
  UNIX_TIMESTAMP('12:34', 'yyyy-MM-dd') AS c1,
  UNIX_TIMESTAMP('  2020-02-29 ', 'yyyy-MM-dd') AS c2,
  UNIX_TIMESTAMP('1500-01-01 00:00:00', 'yyyy-MM-dd') AS c3,
  UNIX_TIMESTAMP('2020-02-29T12:34:56Z', 'yyyy-MM-dd') AS c4,
  UNIX_TIMESTAMP('2021-02-29', 'yyyy-MM-dd') AS c5;
