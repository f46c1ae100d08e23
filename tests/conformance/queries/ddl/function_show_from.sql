CREATE DATABASE d;
CREATE FUNCTION d.f AS 'com.example.Nope';
CREATE FUNCTION d.other AS 'com.example.Nope';
CREATE FUNCTION g AS 'com.example.Nope';
SHOW USER FUNCTIONS IN default_catalog.d NOT LIKE 'o%';
