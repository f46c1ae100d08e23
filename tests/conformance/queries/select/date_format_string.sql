SET 'parallelism.default' = '1';
SELECT DATE_FORMAT('2024-01-02 03:04:05', 'HH') AS x;
