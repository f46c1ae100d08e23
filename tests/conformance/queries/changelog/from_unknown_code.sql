SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('INSERT', 1, 'a'), ('nope', 2, 'b')) AS t(op, id, s)));
