CREATE TABLE orders (order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT order_id FROM orders o WHERE price < (SELECT MAX(x.price) FROM orders x WHERE x.order_id < o.order_id);
