SET 'table.local-time-zone' = 'UTC';
CREATE TABLE jsons (
  id INT, j STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/jsons.json', 'format' = 'json'
);
SELECT
  id,
  j || '' || j AS c1,
  j || 'ab' || j AS c2,
  j || ' ' || 'straße' AS c3,
  '%_\' || '😀' || j AS c4,
  j || ' ' || j AS c5
FROM jsons;
