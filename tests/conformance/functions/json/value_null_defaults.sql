SET 'parallelism.default' = '1';
SELECT JSON_VALUE('{"a":null}', '$.a' DEFAULT 'x' ON ERROR), JSON_VALUE('{"a":null}', '$.a' DEFAULT 'x' ON EMPTY), JSON_VALUE('{"a":null}', 'lax $.a' DEFAULT 'x' ON EMPTY DEFAULT 'y' ON ERROR), JSON_VALUE('{"a":null}', 'strict $.a' DEFAULT 'x' ON EMPTY DEFAULT 'y' ON ERROR);
