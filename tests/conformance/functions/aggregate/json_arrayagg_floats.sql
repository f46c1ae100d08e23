SET 'parallelism.default' = '1';
SELECT JSON_ARRAYAGG(CAST(x AS FLOAT)) FROM (VALUES (1E10), (1E-5), (0.001E0), (1E-7), (123456789.5E0), (100E0), (-1.5E20), (1E7), (1E6)) t(x);
