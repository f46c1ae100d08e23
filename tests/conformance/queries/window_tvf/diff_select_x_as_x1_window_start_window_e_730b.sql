SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE bid (
  bidtime TIMESTAMP(3), price DECIMAL(10, 2), item STRING, supplier STRING, WATERMARK FOR bidtime AS bidtime - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/bid.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT item AS x1, window_start, window_end, window_time FROM HOP(TABLE bid, DESCRIPTOR(bidtime), INTERVAL '10' SECOND, INTERVAL '25' SECOND) WHERE price IS NULL OR price < 100;
