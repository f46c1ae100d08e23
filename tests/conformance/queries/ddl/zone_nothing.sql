SET 'parallelism.default' = '1';
SET 'table.local-time-zone' = 'Nowhere/City';
SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING) AS x;
