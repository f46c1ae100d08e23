SET 'table.local-time-zone' = 'UTC';
SELECT d < ts FROM (VALUES (DATE '2020-01-01', TIMESTAMP '2020-01-01 00:00:00')) AS t(d, ts);
