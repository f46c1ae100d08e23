SET 'parallelism.default' = '1';
SELECT DATE_FORMAT(TIME '10:00:00', 'HH') AS x;
