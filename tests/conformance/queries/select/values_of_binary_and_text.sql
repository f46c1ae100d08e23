VALUES (X'00'), ('a');
