SET 'table.local-time-zone' = 'UTC';
SELECT x FROM (SELECT COLLECT(i) AS c FROM (VALUES (1), (2), (2)) AS t(i)) CROSS JOIN UNNEST(c) AS u(x);
