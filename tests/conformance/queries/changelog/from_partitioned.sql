SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('INSERT', 1, 'a'), ('UPDATE_AFTER', 1, 'c'), ('DELETE', 1, 'c')) AS t(op, id, s)) PARTITION BY id, op_mapping => MAP['INSERT', 'INSERT', 'UPDATE_AFTER', 'UPDATE_AFTER', 'DELETE', 'DELETE']);
