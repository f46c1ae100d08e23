SET 'execution.runtime-mode' = 'batch';
SELECT DATE '2020-01-01' AS x UNION ALL SELECT TO_TIMESTAMP_LTZ(0, 3);
