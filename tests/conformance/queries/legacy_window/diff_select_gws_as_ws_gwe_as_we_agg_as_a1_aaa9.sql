SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE logins (
  usr STRING, action STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/logins.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT HOP_START(ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND) AS ws, HOP_END(ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND) AS we, AVG(CAST(CHAR_LENGTH(action) AS DOUBLE)) AS a1, COUNT(DISTINCT usr) AS a2 FROM logins WHERE usr IS NOT NULL GROUP BY HOP(ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND) HAVING MAX(CHAR_LENGTH(action)) IS NOT NULL AND COUNT(*) < 5;
