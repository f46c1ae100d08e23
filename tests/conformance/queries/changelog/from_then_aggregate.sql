SET 'parallelism.default' = '1';
SELECT id, COUNT(*) FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('INSERT', 1, 'a'), ('UPDATE_BEFORE', 1, 'a'), ('UPDATE_AFTER', 1, 'c')) AS t(op, id, s))) GROUP BY id;
