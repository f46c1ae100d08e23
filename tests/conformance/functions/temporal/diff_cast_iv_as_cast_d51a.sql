SET 'table.local-time-zone' = 'UTC';
SELECT
  CAST(INTERVAL '1.5' SECOND AS DOUBLE) AS c1;
