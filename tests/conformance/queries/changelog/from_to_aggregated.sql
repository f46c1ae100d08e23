SET 'parallelism.default' = '1';
CREATE TABLE products (
  id INT,
  name STRING,
  weight INT,
  price DECIMAL(10, 2),
  PRIMARY KEY (id) NOT ENFORCED
) WITH (
  'connector' = 'filesystem',
  'path' = '${DATA}/products_dbz.json',
  'format' = 'debezium-json'
);
SELECT id, SUM(weight) FROM FROM_CHANGELOG(input => (SELECT * FROM TO_CHANGELOG(input => TABLE products))) GROUP BY id;
