SET 'table.local-time-zone' = 'UTC';
CREATE TABLE caststr (
  id INT, s STRING
) WITH (
  'connector' = 'filesystem', 'path' = '${DATA}/caststr.json', 'format' = 'json'
);
SELECT
  id,
  s = s AS c1,
  'ǆ ŉ ﬁ' = s AS c2,
  s = 'abc' AS c3,
  'e' || U&'\0301' = s AS c4,
  s = 'straße' AS c5
FROM caststr;
