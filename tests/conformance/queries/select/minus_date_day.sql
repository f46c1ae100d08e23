SET 'parallelism.default' = '1';
SELECT (DATE '2024-06-01' - DATE '2024-05-01') DAY AS h;
