SET 'table.local-time-zone' = 'UTC';
SELECT
  CHAR_LENGTH('%_\') AS c1,
  CHAR_LENGTH('abc') AS c2,
  CHAR_LENGTH(' x ') AS c3,
  CHAR_LENGTH('ǆ ŉ ﬁ') AS c4,
  CHAR_LENGTH('2020-02-29') AS c5;
