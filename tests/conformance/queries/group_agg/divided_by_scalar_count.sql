CREATE TABLE customers (cust_id INT, name STRING, country STRING, credit DOUBLE, since DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE orders (order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT status, SUM(qty) / (SELECT COUNT(*) FROM customers) AS c FROM orders GROUP BY status;
