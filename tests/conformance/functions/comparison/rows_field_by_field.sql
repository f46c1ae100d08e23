SET 'parallelism.default' = '1';
SELECT ROW(CAST(NULL AS INT), 'b') = ROW(2, CAST(NULL AS STRING)), ROW(1, CAST(NULL AS STRING)) = ROW(1, 'x'), ROW(1, CAST(NULL AS STRING)) <> ROW(2, 'x');
