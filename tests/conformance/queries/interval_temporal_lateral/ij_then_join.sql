SET 'parallelism.default' = '1';
SET 'pipeline.auto-watermark-interval' = '0 ms';
CREATE TABLE orders (
  order_id INT,
  cust_id INT,
  product STRING,
  qty INT,
  price DECIMAL(10, 2),
  status STRING,
  order_ts TIMESTAMP(3)
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/orders.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE payments (
  pay_id INT,
  order_id INT,
  amount DECIMAL(10, 2),
  `method` STRING,
  pay_ts TIMESTAMP(3),
  WATERMARK FOR pay_ts AS pay_ts - INTERVAL '5' MINUTE
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/payments.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
CREATE TABLE p (id INT, s STRING, dt STRING, hr INT) PARTITIONED BY (dt, hr) WITH ('connector' = 'filesystem', 'path' = '${DATA}/parts', 'format' = 'csv', 'csv.null-literal' = 'NULL');
CREATE TABLE customers (
  cust_id INT,
  name STRING,
  country STRING,
  credit DOUBLE,
  since DATE
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/customers.csv',
  'format' = 'csv',
  'csv.null-literal' = 'NULL'
);
SELECT o.order_id, c.name, p.amount FROM orders o JOIN payments p ON o.order_id = p.order_id AND p.pay_ts BETWEEN o.order_ts AND o.order_ts + INTERVAL '4' MINUTE JOIN customers c ON c.cust_id = o.cust_id;
