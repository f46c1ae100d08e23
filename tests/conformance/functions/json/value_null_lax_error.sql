SET 'parallelism.default' = '1';
SELECT JSON_VALUE('{"a":null}', 'lax $.a' ERROR ON ERROR);
