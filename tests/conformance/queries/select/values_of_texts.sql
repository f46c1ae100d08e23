VALUES ('a'), ('abc'), (CAST('x' AS STRING));
