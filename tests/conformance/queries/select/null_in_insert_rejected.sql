CREATE TABLE bh (id INT, s STRING) WITH ('connector' = 'blackhole'); INSERT INTO bh SELECT 1, NULL;
