SET 'parallelism.default' = '1';
SELECT JSON_QUERY('{"a":null}', '$.a' ERROR ON ERROR);
