SET 'execution.runtime-mode' = 'batch';
SELECT 1 AS x EXCEPT SELECT 'a';
