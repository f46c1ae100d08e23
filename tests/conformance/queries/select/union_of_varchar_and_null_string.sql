SET 'execution.runtime-mode' = 'batch';
SELECT CAST('a' AS VARCHAR(5)) AS x UNION ALL SELECT CAST(NULL AS STRING);
