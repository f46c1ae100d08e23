SET 'parallelism.default' = '1';
SELECT JSON_VALUE('{"a":null}', '$.a' ERROR ON ERROR);
