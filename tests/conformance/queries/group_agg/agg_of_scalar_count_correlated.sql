CREATE TABLE orders (order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '${DATA}/orders.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE customers (cust_id INT, name STRING, country STRING, credit DOUBLE, since DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT country, SUM((SELECT COUNT(*) FROM orders o WHERE o.cust_id = c.cust_id)) AS n FROM customers c GROUP BY country;
