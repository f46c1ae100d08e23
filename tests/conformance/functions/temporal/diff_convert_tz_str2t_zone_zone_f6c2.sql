SET 'table.local-time-zone' = 'UTC';
SELECT
  CONVERT_TZ('10000-01-01', 'Asia/Shanghai', '+02:00') AS c1,
  CONVERT_TZ('-0001-01-01', 'bad', 'UTC') AS c2,
  CONVERT_TZ('', 'bad', 'UTC') AS c3,
  CONVERT_TZ('2020-02-29T12:34:56Z', 'Europe/Berlin', 'Asia/Shanghai') AS c4,
  CONVERT_TZ('2020-02-29 12:34:56.123456789', CAST(NULL AS STRING), '+02:00') AS c5;
