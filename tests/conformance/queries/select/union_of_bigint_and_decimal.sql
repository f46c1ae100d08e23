SET 'execution.runtime-mode' = 'batch';
SELECT CAST(1 AS BIGINT) AS x UNION ALL SELECT 1.5;
