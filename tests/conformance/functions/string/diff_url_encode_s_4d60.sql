SET 'table.local-time-zone' = 'UTC';
SELECT
  URL_ENCODE(CAST('abcdef' AS VARCHAR(3))) AS c1,
  URL_ENCODE('aXbXc') AS c2,
  URL_ENCODE('abc') AS c3,
  URL_ENCODE('straße') AS c4;
