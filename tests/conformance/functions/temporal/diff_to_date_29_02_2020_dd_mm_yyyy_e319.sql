SET 'table.local-time-zone' = 'UTC';
SELECT
  TO_DATE('29/02/2020', 'dd/MM/yyyy') AS c1;
