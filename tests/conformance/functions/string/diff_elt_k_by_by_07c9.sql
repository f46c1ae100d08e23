SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  ELT(n, X'616263', X'') AS c1,
  ELT(n, X'68656c6c6f', X'00ff') AS c2,
  ELT(n, X'00ff', X'616263') AS c3,
  ELT(n, CAST(NULL AS BYTES), X'68656c6c6f') AS c4,
  ELT(n, CAST(NULL AS BYTES), CAST(NULL AS BYTES)) AS c5
FROM strs;
