SET 'execution.runtime-mode' = 'batch';
SELECT 'a' AS x UNION ALL SELECT DATE '2020-01-01';
