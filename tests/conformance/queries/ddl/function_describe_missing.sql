DESCRIBE FUNCTION default_database.nope;
