SET 'parallelism.default' = '1';
SELECT (DATE '2024-06-01' - DATE '2023-01-15') MONTH AS h;
