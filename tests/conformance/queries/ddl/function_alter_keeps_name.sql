CREATE FUNCTION f AS 'com.example.Nope';
ALTER FUNCTION f AS 'com.example.Other';
SHOW USER FUNCTIONS;
