SET 'table.local-time-zone' = 'UTC';
SELECT
  REGEXP('straße', '(\w+) (\w+)') AS c1,
  REGEXP('%_\', '(?i)HELLO') AS c2,
  REGEXP('Hello World', 'l+') AS c3,
  REGEXP('%_\', '(b|c)?') AS c4,
  REGEXP('%_\', 'a') AS c5;
