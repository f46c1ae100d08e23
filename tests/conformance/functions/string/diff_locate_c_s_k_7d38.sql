SET 'table.local-time-zone' = 'UTC';
SELECT
  LOCATE('😀', 'straße', 1) AS c1,
  LOCATE('X', 'aXbXc', -1) AS c2,
  LOCATE('X', CAST('abcdef' AS VARCHAR(3)), CAST(NULL AS INT)) AS c3,
  LOCATE(',', ' x ', 0) AS c4,
  LOCATE('X', 'a,b,,c', 1) AS c5;
