SET 'table.local-time-zone' = 'America/Los_Angeles';
SELECT
  - INTERVAL '90' MINUTE AS c1,
  - INTERVAL '1.5' SECOND AS c2,
  - INTERVAL '-1 02:03:04.567' DAY TO SECOND AS c3;
