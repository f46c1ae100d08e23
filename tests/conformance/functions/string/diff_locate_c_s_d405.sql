SET 'table.local-time-zone' = 'UTC';
SELECT
  LOCATE(CAST(NULL AS STRING), 'a,b,,c') AS c1,
  LOCATE('😀', '') AS c2,
  LOCATE(CAST(NULL AS STRING), '') AS c3,
  LOCATE('X', 'a,b,,c') AS c4,
  LOCATE(',', CAST('abcdef' AS VARCHAR(3))) AS c5;
