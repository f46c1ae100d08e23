SET 'parallelism.default' = '1';
SELECT 2 * INTERVAL '10' SECOND AS x;
