SET 'parallelism.default' = '1';
SELECT JSON_ARRAYAGG(x) FROM (VALUES (1.50), (100.00), (0.001)) t(x);
