SET 'table.local-time-zone' = 'UTC';
SELECT i, k, v, o FROM (VALUES (1, MAP['a', 1])) AS t(i, m) CROSS JOIN UNNEST(m) WITH ORDINALITY AS u(k, v, o);
