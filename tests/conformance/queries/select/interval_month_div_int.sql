SET 'parallelism.default' = '1';
SELECT INTERVAL '10' MONTH / 2 AS x;
