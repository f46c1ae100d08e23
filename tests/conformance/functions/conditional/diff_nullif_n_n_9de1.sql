SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  NULLIF(f, d) AS c1
FROM fps;
