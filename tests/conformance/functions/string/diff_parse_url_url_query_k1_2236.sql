SET 'table.local-time-zone' = 'UTC';
CREATE TABLE urls (
  id INT, u STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/urls.json', 'format' = 'json'
);
SELECT
  id,
  PARSE_URL(u, 'QUERY', 'k1') AS c1
FROM urls;
