SET 'table.local-time-zone' = 'UTC';
SELECT
  POSITION('ab' IN 'ΑΣ') AS c1,
  POSITION('a' IN 'ǆ ŉ ﬁ') AS c2,
  POSITION('a' IN 'ΑΣ') AS c3,
  POSITION('ab' IN 'a,b,,c') AS c4,
  POSITION(' ' IN CAST('ab' AS CHAR(4))) AS c5;
