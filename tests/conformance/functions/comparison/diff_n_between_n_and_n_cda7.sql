SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  2.5 BETWEEN CAST(-0.5 AS DECIMAL(3,1)) AND d AS c1
FROM fps;
