SET 'parallelism.default' = '1';
SELECT (TIME '12:10:07' - TIME '10:00:00') MINUTE AS h;
