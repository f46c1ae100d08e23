SET 'table.local-time-zone' = 'UTC';
SELECT i, x FROM (VALUES (1), (2)) AS t(i) CROSS JOIN UNNEST(ARRAY['a', 'b']) AS u(x);
