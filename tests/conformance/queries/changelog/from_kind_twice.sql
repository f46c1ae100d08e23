SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('a', 1, 'a'), ('b', 1, 'z')) AS t(op, id, s)), op_mapping => MAP['a', 'INSERT', 'b', 'INSERT']);
