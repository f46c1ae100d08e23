SET 'table.local-time-zone' = 'UTC';
SELECT
  REGEXP_SUBSTR('	', '[^a]*$') AS c1,
  REGEXP_SUBSTR('Hello World', 'l+') AS c2,
  REGEXP_SUBSTR('Hello World', '[a-z]+') AS c3,
  REGEXP_SUBSTR('-1.5', '\d+') AS c4,
  REGEXP_SUBSTR('TRUE', '(\w+) (\w+)') AS c5;
