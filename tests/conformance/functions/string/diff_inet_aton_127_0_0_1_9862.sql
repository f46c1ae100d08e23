SET 'table.local-time-zone' = 'UTC';
SELECT
  INET_ATON('127.0.0.1') AS c1;
