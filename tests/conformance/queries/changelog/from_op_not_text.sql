SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES (1, 1, 'a')) AS t(op, id, s)));
