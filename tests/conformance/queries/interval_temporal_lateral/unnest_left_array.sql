SET 'table.local-time-zone' = 'UTC';
SELECT i, x FROM (VALUES (1, ARRAY[1, 2]), (2, CAST(NULL AS ARRAY<INT>))) AS t(i, a) LEFT JOIN UNNEST(a) AS u(x) ON TRUE;
