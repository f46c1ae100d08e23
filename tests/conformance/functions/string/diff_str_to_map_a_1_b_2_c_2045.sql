SET 'table.local-time-zone' = 'UTC';
SELECT
  STR_TO_MAP('a=1,b=2,c', ',', '=') AS c1;
