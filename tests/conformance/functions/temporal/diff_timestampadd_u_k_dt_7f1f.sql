SET 'table.local-time-zone' = 'UTC';
SELECT
  TIMESTAMPADD(DAY, 1, DATE '1582-10-10') AS c1;
