SET 'execution.runtime-mode' = 'batch';
SELECT 1 AS x INTERSECT SELECT 'a';
