ALTER TEMPORARY FUNCTION f AS 'com.example.Nope';
