SET 'execution.runtime-mode' = 'batch';
SELECT INTERVAL '1' DAY AS x UNION ALL SELECT INTERVAL '1' YEAR;
