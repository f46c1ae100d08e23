SET 'parallelism.default' = '1';
SELECT DATE_FORMAT(d, 'yyyy-MM') AS x FROM (VALUES (DATE '2024-01-02')) AS t(d);
