ALTER FUNCTION f AS 'com.example.Nope';
