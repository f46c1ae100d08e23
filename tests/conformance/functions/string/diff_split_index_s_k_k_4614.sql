SET 'table.local-time-zone' = 'UTC';
SELECT
  SPLIT_INDEX(CAST('ab' AS CHAR(4)), 4, 1) AS c1,
  SPLIT_INDEX('	', 3, -1) AS c2,
  SPLIT_INDEX('-1.5', 7, 3) AS c3,
  SPLIT_INDEX(' x ', 1, 1) AS c4,
  SPLIT_INDEX('straße', 20, -1) AS c5;
