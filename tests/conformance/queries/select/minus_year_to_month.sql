SET 'parallelism.default' = '1';
SELECT (DATE '2024-06-01' - DATE '2021-07-15') YEAR TO MONTH AS h;
