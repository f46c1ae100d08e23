SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE orders (
  order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3), WATERMARK FOR order_ts AS order_ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT HOP_ROWTIME(order_ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND) AS rt, MAX(price) AS a1 FROM orders GROUP BY HOP(order_ts, INTERVAL '10' SECOND, INTERVAL '25' SECOND);
