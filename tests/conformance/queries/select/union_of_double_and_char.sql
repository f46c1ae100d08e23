SET 'execution.runtime-mode' = 'batch';
SELECT 1e0 AS x UNION ALL SELECT 'a';
