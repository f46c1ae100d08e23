SET 'parallelism.default' = '1';
SELECT JSON_VALUE('{"a":null}', 'strict $.a' ERROR ON ERROR);
