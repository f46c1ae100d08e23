SET 'parallelism.default' = '1';
SELECT * FROM FROM_CHANGELOG(input => (SELECT * FROM (VALUES ('INSERT', 1, 'a'), (CAST(NULL AS STRING), 2, 'b')) AS t(op, id, s)));
