SET 'table.local-time-zone' = 'UTC';
SELECT
  URL_DECODE(CAST(NULL AS STRING)) AS c1,
  URL_DECODE('https://a.b') AS c2,
  URL_DECODE('bad') AS c3,
  URL_DECODE('') AS c4;
