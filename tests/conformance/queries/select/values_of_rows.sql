VALUES (ROW(1, 'a')), (ROW('b', 2));
