SET 'table.local-time-zone' = 'UTC';
SELECT user, current_user + 1 AS c FROM (VALUES (1, 2)) AS t(`user`, `current_user`);
