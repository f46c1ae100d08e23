SET 'execution.runtime-mode' = 'batch';
SELECT 'a' AS x UNION ALL SELECT CAST('a' AS VARCHAR(5));
