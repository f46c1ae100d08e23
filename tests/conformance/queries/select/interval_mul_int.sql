SET 'parallelism.default' = '1';
SELECT INTERVAL '10' SECOND * 2 AS x;
