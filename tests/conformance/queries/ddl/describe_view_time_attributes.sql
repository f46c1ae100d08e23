SET 'table.local-time-zone' = 'UTC';
CREATE TABLE t (ts TIMESTAMP(3), v INT, p AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE VIEW w AS SELECT v, ts, p FROM t;
DESCRIBE w;
