CREATE TABLE f (price DECIMAL(10,2), dy DATE, ok BOOLEAN, word STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}/lookup_facts.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL', 'lookup.cache' = 'FULL');
CREATE TABLE t (id STRING, price DECIMAL(10,2), dy DATE, ok BOOLEAN, p AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '${DATA}/lookup_typed.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL');
SELECT t.id, f.word FROM t LEFT JOIN f FOR SYSTEM_TIME AS OF t.p AS f ON t.dy = f.dy;
