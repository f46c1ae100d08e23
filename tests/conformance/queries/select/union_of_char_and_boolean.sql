SET 'execution.runtime-mode' = 'batch';
SELECT 'a' AS x UNION ALL SELECT TRUE;
