SET 'table.local-time-zone' = 'UTC';
SELECT
  CONVERT_TZ('2021-03-14 02:30:00', 'Asia/Shanghai', 'bad') AS c1,
  CONVERT_TZ('2021-03-14 02:30:00', 'GMT+08:00', 'GMT+08:00') AS c2,
  CONVERT_TZ('2021-03-14 02:30:00', 'America/Los_Angeles', 'Asia/Shanghai') AS c3,
  CONVERT_TZ('2021-03-14 02:30:00', 'bad', CAST(NULL AS STRING)) AS c4,
  CONVERT_TZ('2021-03-14 02:30:00', 'Europe/Berlin', 'GMT+08:00') AS c5;
