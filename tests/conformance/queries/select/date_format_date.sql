SET 'parallelism.default' = '1';
SELECT DATE_FORMAT(DATE '2024-01-02', 'yyyy') AS x;
