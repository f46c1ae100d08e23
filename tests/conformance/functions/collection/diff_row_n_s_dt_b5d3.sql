SET 'table.local-time-zone' = 'UTC';
SELECT
  ROW(CAST('Infinity' AS DOUBLE), '', CAST(NULL AS DATE)) AS c1,
  ROW(CAST('Infinity' AS DOUBLE), ' x ', DATE '2020-02-29') AS c2,
  ROW(9223372036854775807, 'a,b,,c', DATE '0001-01-01') AS c3,
  ROW(CAST(-300 AS SMALLINT), 'a,b,,c', DATE '2024-12-30') AS c4,
  ROW(-2.55, '10', DATE '1969-12-31') AS c5;
