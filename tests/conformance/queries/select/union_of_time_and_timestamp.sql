SET 'execution.runtime-mode' = 'batch';
SELECT TIME '10:00:00' AS x UNION ALL SELECT TIMESTAMP '2020-01-01 00:00:00';
