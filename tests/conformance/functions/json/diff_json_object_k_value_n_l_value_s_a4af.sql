SET 'table.local-time-zone' = 'UTC';
CREATE TABLE fps (
  id INT, f FLOAT, d DOUBLE
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/fps.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'
);
SELECT
  id,
  JSON_OBJECT('k' VALUE d, 'l' VALUE 'e' || U&'\0301') AS c1,
  JSON_OBJECT('k' VALUE d, 'l' VALUE 'straße') AS c2,
  JSON_OBJECT('k' VALUE d, 'l' VALUE '%_\') AS c3,
  JSON_OBJECT('k' VALUE d, 'l' VALUE CAST('abcdef' AS VARCHAR(3))) AS c4,
  JSON_OBJECT('k' VALUE d, 'l' VALUE '	') AS c5
FROM fps;
