SET 'table.local-time-zone' = 'UTC';
SELECT
  IS_DIGIT('a😀b') AS c1,
  IS_DIGIT(' x ') AS c2,
  IS_DIGIT('%_\') AS c3;
