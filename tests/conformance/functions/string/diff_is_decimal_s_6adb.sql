SET 'table.local-time-zone' = 'UTC';
SELECT
  IS_DECIMAL(CAST('ab' AS CHAR(4))) AS c1,
  IS_DECIMAL('') AS c2,
  IS_DECIMAL('2020-02-29') AS c3,
  IS_DECIMAL('ǆ ŉ ﬁ') AS c4;
