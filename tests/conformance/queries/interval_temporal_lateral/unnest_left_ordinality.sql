SET 'table.local-time-zone' = 'UTC';
SELECT i, x, o FROM (VALUES (1, ARRAY['p', 'q']), (2, CAST(NULL AS ARRAY<STRING>))) AS t(i, a) LEFT JOIN UNNEST(a) WITH ORDINALITY AS u(x, o) ON TRUE;
