CREATE TABLE orders (order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT status, COUNT(*) FILTER (WHERE price > (SELECT AVG(price) FROM orders)) AS c FROM orders GROUP BY status;
