SELECT * FROM (VALUES (1, 'a'), ('b', 2)) AS t (a, b);
