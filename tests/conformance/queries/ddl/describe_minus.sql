CREATE TABLE d (a INT, b STRING, c DECIMAL(10, 2), ts TIMESTAMP(3), r ROW<x INT, y ARRAY<INT>>, m MAP<STRING, INT>, k BOOLEAN, d DATE, e AS - (a + 1)) WITH ('connector' = 'datagen'); DESCRIBE d;
