SET 'table.local-time-zone' = 'UTC';
SELECT
  FROM_UNIXTIME(-2147483648, 'yyyyMMddHHmmss') AS c1,
  FROM_UNIXTIME(2, 'EEE, d MMM yyyy') AS c2,
  FROM_UNIXTIME(100, 'yyyyMMddHHmmss') AS c3,
  FROM_UNIXTIME(-1, 'D w E') AS c4,
  FROM_UNIXTIME(3, 'G uuuu-MM') AS c5;
