SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  CAST('123.45' AS DECIMAL(10, 2)) < f AS c1
FROM fps;
