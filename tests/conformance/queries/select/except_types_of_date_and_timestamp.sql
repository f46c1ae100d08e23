SET 'execution.runtime-mode' = 'batch';
SELECT DATE '2020-01-01' AS x EXCEPT SELECT TIMESTAMP '2020-01-01 00:00:00';
