SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  ARRAY_SORT(ARRAY[f, f, f]) AS c1,
  ARRAY_SORT(ARRAY[-7, 1, f]) AS c2,
  ARRAY_SORT(ARRAY[0, 1E308, f]) AS c3,
  ARRAY_SORT(ARRAY[CAST('Infinity' AS DOUBLE), d, d]) AS c4,
  ARRAY_SORT(ARRAY[f, f, CAST(NULL AS DOUBLE)]) AS c5
FROM fps;
