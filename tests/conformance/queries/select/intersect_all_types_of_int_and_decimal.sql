SET 'execution.runtime-mode' = 'batch';
SELECT 1 AS x INTERSECT ALL SELECT 2.5;
