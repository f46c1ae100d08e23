SET 'parallelism.default' = '1';
SELECT JSON_QUERY('{"a":null}', '$.a' EMPTY ARRAY ON ERROR), JSON_QUERY('{"a":null}', 'lax $.a' EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR);
