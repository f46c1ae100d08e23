SET 'table.local-time-zone' = 'UTC';
SELECT
  'null' IS JSON AS c1,
  '[1, 2, {"a": true}]' IS JSON AS c2,
  '{}' IS JSON AS c3,
  '12.30' IS JSON AS c4,
  'true' IS JSON AS c5;
