SET 'parallelism.default' = '1';
SHOW FUNCTIONS LIKE '%changelog%';
