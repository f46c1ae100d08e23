SET 'table.local-time-zone' = 'UTC';
SELECT
  DECODE(X'', 'US-ASCII') AS c1,
  DECODE(X'00ff', 'US-ASCII') AS c2,
  DECODE(X'68656c6c6f', 'US-ASCII') AS c3,
  DECODE(CAST(NULL AS BYTES), 'US-ASCII') AS c4;
