SET 'table.local-time-zone' = 'UTC';
SELECT
  TRY_CAST('20200229' AS FLOAT) AS c1;
