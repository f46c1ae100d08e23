SET 'table.local-time-zone' = 'UTC';
SELECT
  HEX('ǆ ŉ ﬁ') AS c1,
  HEX('a,b,,c') AS c2,
  HEX('2020-02-29') AS c3;
