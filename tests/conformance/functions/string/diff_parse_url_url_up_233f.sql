SET 'table.local-time-zone' = 'UTC';
CREATE TABLE urls (
  id INT, u STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/urls.json', 'format' = 'json'
);
SELECT
  id,
  PARSE_URL(u, 'host') AS c1,
  PARSE_URL(u, 'PROTOCOL') AS c2,
  PARSE_URL(u, 'HOST') AS c3,
  PARSE_URL(u, 'PATH') AS c4,
  PARSE_URL(u, 'AUTHORITY') AS c5
FROM urls;
