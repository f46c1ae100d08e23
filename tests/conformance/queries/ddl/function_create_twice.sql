CREATE FUNCTION f AS 'com.example.Nope';
CREATE FUNCTION F AS 'com.example.Nope';
