CREATE TABLE d (a INT COMMENT 'x', b AS a + 1 COMMENT 'y') COMMENT 'tab' WITH ('connector' = 'datagen'); SHOW CREATE TABLE d;
