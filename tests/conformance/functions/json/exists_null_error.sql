SET 'parallelism.default' = '1';
SELECT JSON_EXISTS('{"a":null}', '$.a' ERROR ON ERROR);
