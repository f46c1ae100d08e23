-- The flights that left New York in January 2013, as a stream in event time.
--
--   make demo            or            flott sql -f examples/flights/flights.sql
--
-- Run it from the root of the repository: the paths below are relative. What you will see: lines of
-- `carriers> ...` and `delays> ...` as the stream goes by, and afterwards files in target/demo/.

-- ------------------------------------------------------------------------------------------------
-- 1. How the job runs
-- ------------------------------------------------------------------------------------------------

SET 'pipeline.name' = 'flights';
-- Twice a second the job takes a snapshot of everything it has to remember: the position in each file, the open
-- windows, the running totals. Kill the process whenever you like (kill -9 is fine), and start it again with
--   flott sql -f examples/flights/flights.sql --restore latest
-- It continues from the last snapshot, and target/demo/ ends up as if nothing had happened.
SET 'execution.checkpointing.interval' = '500 ms';
SET 'execution.checkpointing.dir' = 'target/demo/checkpoints';

-- ------------------------------------------------------------------------------------------------
-- 2. The source
-- ------------------------------------------------------------------------------------------------

-- Real data are not tidy. The file has a header line, and `NA` where there is no value: a cancelled flight has
-- no departure, some flights have no tail number. So every column is read as text, and SQL makes sense of it below.
CREATE TABLE flights (
  `year`         STRING,
  `month`        STRING,
  `day`          STRING,
  dep_time       STRING,  -- local time as a number such as 517, or NA for a cancelled flight
  sched_dep_time STRING,
  dep_delay      STRING,  -- minutes, negative when early, or NA
  arr_time       STRING,
  sched_arr_time STRING,
  arr_delay      STRING,
  carrier        STRING,
  flight         STRING,
  tailnum        STRING,  -- which aircraft, or NA
  origin         STRING,  -- EWR, JFK or LGA
  dest           STRING,
  air_time       STRING,
  distance       STRING,  -- miles
  `hour`         STRING,
  `minute`       STRING,  -- of the scheduled departure
  time_hour      STRING,  -- hour of the scheduled departure, in UTC: 2013-01-01T10:00:00Z

  -- Event time: when the flight really left, in UTC. Scheduled hour + scheduled minute + delay. TRY_CAST answers NULL
  -- where CAST would fail, so that NA counts as no delay: a cancelled flight stands at the time when it should have left.
  -- The header line has no time at all. Event time must not be NULL, so it gets one before all others.
  departure AS COALESCE(
    TIMESTAMPADD(
      MINUTE,
      TRY_CAST(`minute` AS INT) + COALESCE(TRY_CAST(dep_delay AS INT), 0),
      TO_TIMESTAMP(time_hour, 'yyyy-MM-dd''T''HH:mm:ss''Z''')),
    TIMESTAMP '1970-01-01 00:00:00'),

  -- How far out of order the rows are. The file is sorted by the local day on which a flight should have left, and a flight that
  -- is a day late stands among those of the day before. No row comes more than 28 h 46 min after a later one, so the
  -- watermark waits 30 hours, and not a single row is dropped as late. Try 2 hours: what is late is counted, not hidden.
  WATERMARK FOR departure AS departure - INTERVAL '30' HOUR
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/flights/data/flights_2013_01.csv',
  'format' = 'csv',
  -- Flott's own option: read as slowly as events might come in, so that there is something to watch. The source's subtasks (as many
  -- as there are cores) share the rate, and one of them has the file: two cores need some 2 seconds.
  'source.rate-limit.rows-per-second' = '24000'
);

-- The rows that the queries want: no header, numbers as numbers, NULL for what is not known.
CREATE VIEW departures AS
SELECT
  departure,
  origin,
  carrier,
  NULLIF(tailnum, 'NA') AS tailnum,
  TRY_CAST(dep_delay AS INT) AS delay,
  TRY_CAST(distance AS INT) AS distance,
  dep_time = 'NA' AS cancelled
FROM flights
WHERE `year` <> 'year';

-- ------------------------------------------------------------------------------------------------
-- 3. Where results go
-- ------------------------------------------------------------------------------------------------

-- Files appear with the snapshot that covers them, complete, and once: no reader ever sees half a file, and no row is
-- written twice, whatever happens to the process.
CREATE TABLE hourly_files (
  window_start      TIMESTAMP(3),
  origin            STRING,
  flights           BIGINT,
  average_delay     DECIMAL(10, 1),
  max_delay         INT,
  percent_cancelled DECIMAL(4, 1)
) WITH ('connector' = 'filesystem', 'path' = 'target/demo/hourly', 'format' = 'csv');

CREATE TABLE aircraft_day_files (
  tailnum         STRING,
  first_departure TIMESTAMP(3),
  last_departure  TIMESTAMP(3),
  legs            BIGINT,
  miles           INT,
  max_delay       INT
) WITH ('connector' = 'filesystem', 'path' = 'target/demo/aircraft_days', 'format' = 'csv');

CREATE TABLE delays (
  window_start      TIMESTAMP(3),
  origin            STRING,
  flights           BIGINT,
  average_delay     DECIMAL(10, 1),
  percent_cancelled DECIMAL(4, 1)
) WITH ('connector' = 'print', 'print-identifier' = 'delays');

CREATE TABLE carriers (
  carrier          STRING,
  cancelled        BIGINT,
  three_hours_late BIGINT,
  worst_delay      INT
) WITH ('connector' = 'print', 'print-identifier' = 'carriers');

-- ------------------------------------------------------------------------------------------------
-- 4. The queries
-- ------------------------------------------------------------------------------------------------

-- (a) Windows of one hour of departure time. A window's result comes when the watermark has passed its end.
CREATE VIEW hourly AS
SELECT
  window_start,
  origin,
  COUNT(*) AS flights,
  CAST(AVG(CAST(delay AS DECIMAL(10, 1))) AS DECIMAL(10, 1)) AS average_delay,
  MAX(delay) AS max_delay,
  CAST(AVG(CASE WHEN cancelled THEN 100.0 ELSE 0.0 END) AS DECIMAL(4, 1)) AS percent_cancelled
FROM TABLE(TUMBLE(TABLE departures, DESCRIPTOR(departure), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, origin;

-- (b) The working days of an aircraft: its departures from New York, as long as no more than 7 hours lie between two of them
-- (most nights on the ground are longer). A session has no fixed length: it ends when nothing came for so long.
CREATE VIEW flown AS
SELECT departure, tailnum, distance, delay FROM departures WHERE NOT cancelled AND tailnum IS NOT NULL;

CREATE VIEW aircraft_days AS
SELECT
  tailnum,
  MIN(departure) AS first_departure,
  MAX(departure) AS last_departure,
  COUNT(*) AS legs,
  SUM(distance) AS miles,
  MAX(delay) AS max_delay
FROM TABLE(SESSION(TABLE flown PARTITION BY tailnum, DESCRIPTOR(departure), INTERVAL '7' HOUR))
GROUP BY window_start, window_end, tailnum;

-- All of it runs as one job.
EXECUTE STATEMENT SET
BEGIN
  INSERT INTO hourly_files SELECT * FROM hourly;

  INSERT INTO aircraft_day_files SELECT * FROM aircraft_days;

  -- The hours that passengers will remember.
  INSERT INTO delays
  SELECT window_start, origin, flights, average_delay, percent_cancelled
  FROM hourly
  WHERE flights >= 10 AND (average_delay >= 60 OR percent_cancelled >= 20);

  -- (c) By carrier, without windows, so never final: each time a result changes, -U takes the old row back and +U gives the new one.
  INSERT INTO carriers
  SELECT
    carrier,
    COUNT(*) FILTER (WHERE cancelled),
    COUNT(*) FILTER (WHERE delay >= 180),
    MAX(delay)
  FROM departures
  GROUP BY carrier;
END;
