SET 'table.local-time-zone' = 'UTC';
SELECT i + v AS w FROM (VALUES (1, 'a', 10), (1, 'a', 10), (2, 'b', 20), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30), (3, CAST(NULL AS STRING), 30)) AS l(i, s, v) ORDER BY w * -1 LIMIT 2;
