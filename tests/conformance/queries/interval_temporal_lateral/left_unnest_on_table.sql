SET 'parallelism.default' = '1';
CREATE TABLE n (id INT, tags ARRAY<STRING>, items ARRAY<ROW<sku STRING, qty INT>>) WITH ('connector' = 'filesystem', 'path' = '${DATA}/nested.json', 'format' = 'json');
SELECT id, tag FROM n LEFT JOIN UNNEST(tags) AS u(tag) ON tag <> 'x';
