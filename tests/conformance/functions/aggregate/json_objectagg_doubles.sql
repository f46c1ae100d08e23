SET 'parallelism.default' = '1';
SELECT JSON_OBJECTAGG(k VALUE x) FROM (VALUES ('a', 1E10), ('b', 1E-5), ('c', 1.5E0)) t(k, x);
