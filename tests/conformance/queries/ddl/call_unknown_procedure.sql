CALL sys.x();
