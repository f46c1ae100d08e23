SET 'table.local-time-zone' = 'UTC';
CREATE TABLE strs (
  id INT, s STRING, t STRING, n INT
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/strs.json', 'format' = 'json'
);
SELECT
  id,
  OVERLAY(t PLACING t FROM n) AS c1,
  OVERLAY('ΑΣ' PLACING t FROM CAST(NULL AS INT)) AS c2,
  OVERLAY(s PLACING t FROM 7) AS c3,
  OVERLAY(CAST('ab' AS CHAR(4)) PLACING t FROM n) AS c4,
  OVERLAY(t PLACING 'a' FROM n) AS c5
FROM strs;
