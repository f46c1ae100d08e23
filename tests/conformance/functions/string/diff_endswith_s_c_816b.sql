SET 'table.local-time-zone' = 'UTC';
SELECT
  ENDSWITH(CAST('abcdef' AS VARCHAR(3)), ',') AS c1,
  ENDSWITH(CAST(NULL AS STRING), '') AS c2,
  ENDSWITH(CAST('ab' AS CHAR(4)), ',') AS c3,
  ENDSWITH(' x ', '😀') AS c4,
  ENDSWITH('straße', ' ') AS c5;
