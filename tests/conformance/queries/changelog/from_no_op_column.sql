SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('INSERT', 1, 'a')) AS t(code, id, s)));
