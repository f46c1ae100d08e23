SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('c', 1, 'a'), ('r', 2, 'b'), ('x', 3, 'c')) AS t(op, id, s)), op_mapping => MAP['c, r', 'INSERT']);
