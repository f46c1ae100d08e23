SET 'table.local-time-zone' = 'UTC';
SELECT
  REGEXP_EXTRACT_ALL('straße', '(b|c)?', 4) AS c1,
  REGEXP_EXTRACT_ALL('%_\', 'a', 3) AS c2,
  REGEXP_EXTRACT_ALL(' x ', '[a-z]+', -1) AS c3,
  REGEXP_EXTRACT_ALL('ǆ ŉ ﬁ', '[a-z]+', -1) AS c4,
  REGEXP_EXTRACT_ALL('10', 'a', 7) AS c5;
