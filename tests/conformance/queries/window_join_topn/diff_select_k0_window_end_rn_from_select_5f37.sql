SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE ticks (
  symbol STRING, price INT, volume INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/ticks.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT symbol, window_end, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, symbol ORDER BY volume DESC, volume, symbol) AS rn FROM HOP(TABLE ticks, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '25' SECOND, INTERVAL '-3' SECOND) WHERE volume > 10) WHERE rn = 5;
