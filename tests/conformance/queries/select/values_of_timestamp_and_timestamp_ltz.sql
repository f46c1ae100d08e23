SET 'execution.runtime-mode' = 'batch';
SELECT * FROM (VALUES (TIMESTAMP '2020-01-01 00:00:00'), (TO_TIMESTAMP_LTZ(0, 3))) AS t (x);
