CREATE FUNCTION nocat.db.f AS 'com.example.Nope';
