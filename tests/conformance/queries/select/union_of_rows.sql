SET 'execution.runtime-mode' = 'batch';
SELECT ROW(1, 'a') AS x UNION ALL SELECT ROW('a', 1);
