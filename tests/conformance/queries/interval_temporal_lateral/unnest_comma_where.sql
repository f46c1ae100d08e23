SET 'table.local-time-zone' = 'UTC';
SELECT i, x FROM (VALUES (1, ARRAY[1, 2, 3])) AS t(i, a), UNNEST(t.a) AS u(x) WHERE x > i;
