SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE orders (
  order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3), WATERMARK FOR order_ts AS order_ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT COUNT(*) AS c, MIN(window_start) AS s, MAX(window_end) AS e FROM HOP(TABLE orders, DESCRIPTOR(order_ts), INTERVAL '10' SECOND, INTERVAL '5' SECOND, INTERVAL '1' SECOND);
