SET 'execution.runtime-mode' = 'batch';
SELECT 1 AS x EXCEPT ALL SELECT 2.5;
