SET 'execution.runtime-mode' = 'batch';
SELECT 1 AS x UNION ALL SELECT TRUE;
