SET 'parallelism.default' = '1';
SELECT MAP['a', 1] AS m UNION SELECT MAP['a', 1];
