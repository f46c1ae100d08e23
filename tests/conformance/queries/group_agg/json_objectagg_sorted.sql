CREATE TABLE customers (cust_id INT, name STRING, country STRING, credit DOUBLE, since DATE) WITH ('connector' = 'filesystem', 'path' = '${DATA}/customers.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT country, JSON_OBJECTAGG(KEY name VALUE credit) AS j FROM customers WHERE name IS NOT NULL GROUP BY country;
