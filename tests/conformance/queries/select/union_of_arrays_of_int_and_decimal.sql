SET 'execution.runtime-mode' = 'batch';
SELECT ARRAY[1] AS x UNION ALL SELECT ARRAY[1.5];
