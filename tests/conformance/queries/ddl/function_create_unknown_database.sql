CREATE FUNCTION nodb.f AS 'com.example.Nope';
