CREATE TABLE o (id INT, k INT, amount INT, tag STRING, p AS PROCTIME(), ts AS TO_TIMESTAMP(FROM_UNIXTIME(amount)), b AS CAST(k AS BIGINT)) WITH ('connector' = 'filesystem', 'path' = '${DATA}/lookup_orders.csv', 'format' = 'csv', 'csv.null-literal' = '');
CREATE TABLE d (k INT, name STRING, v INT, tag STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/lookup_dim.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL', 'lookup.cache' = 'FULL');
SELECT id, name FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.p ON o.k = d.k WHERE name IS NULL;
