SET 'table.local-time-zone' = 'UTC';
SELECT
  REGEXP_INSTR('2020-02-29', '(?i)HELLO') AS c1,
  REGEXP_INSTR('a,b,,c', '(') AS c2,
  REGEXP_INSTR(' x ', '(b|c)?') AS c3,
  REGEXP_INSTR('e' || U&'\0301', '(?i)HELLO') AS c4,
  REGEXP_INSTR(CAST('abcdef' AS VARCHAR(3)), '[a-z]+') AS c5;
