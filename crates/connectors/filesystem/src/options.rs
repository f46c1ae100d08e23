//! The options of a table.

use chrono_tz::Tz;
use flott_connector::lookup::options::{ONLY_FULL_CACHE, RELOAD_INTERVAL, RELOAD_STRATEGY};
use flott_connector::options::{FORMAT, SINK_PARALLELISM};
use flott_connector::{AnyOption, Manual, Required, TableOption, WithDefault};
use regex::Regex;

use crate::partition_time::Formatter;

pub(crate) const PATH: TableOption<String, Required> = TableOption::text(
    "path",
    "the file, the directory, or a pattern with `*` and `?`: local, with or without `file://`, or on an object store (`s3://BUCKET/...`, `gs://BUCKET/...`, `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/...`), or for reading a file behind HTTP (`https://HOST/...`)",
)
.required();
pub(crate) const DEFAULT_PARTITION: TableOption<String, WithDefault> = TableOption::text(
    "partition.default-name",
    "the directory's name for a partition column that is NULL or empty",
)
.or("__DEFAULT_PARTITION__");

pub(crate) const PATH_PATTERN: TableOption<Regex> = TableOption::parsed(
    "source.path.regex-pattern",
    "regular expression",
    "a regular expression",
    |pattern| Regex::new(&format!("^(?:{pattern})$")).ok(),
    "only files whose whole path matches are read",
);
pub(crate) const MONITOR_INTERVAL: TableOption<i64> = TableOption::positive_duration(
    "source.monitor-interval",
    "how often to look for new files; without it, the source ends with the existing files",
);
pub(crate) const ROWS_PER_SECOND: TableOption<f64> = TableOption::parsed(
    "source.rate-limit.rows-per-second",
    "number",
    "a number above 0",
    |text| text.trim().parse().ok().filter(|rate| *rate > 0.0),
    "the maximum number of rows per second of all readers together; not a Flink option",
);
const STATISTICS: TableOption<String> =
    TableOption::text("source.report-statistics", "statistics about the files for the planner")
        .without_effect("plans do not depend on the size of files");

pub(crate) const FILE_SIZE: TableOption<u64, WithDefault> =
    TableOption::size("sink.rolling-policy.file-size", "a file is closed when it has this many bytes")
        .or("128 mb");
pub(crate) const ROLLOVER_INTERVAL: TableOption<i64, WithDefault> = TableOption::duration(
    "sink.rolling-policy.rollover-interval",
    "a file is closed this long after it was opened",
)
.or("30 min");
pub(crate) const INACTIVITY_INTERVAL: TableOption<i64, WithDefault> = TableOption::duration(
    "sink.rolling-policy.inactivity-interval",
    "a file is closed this long after the last row",
)
.or("30 min");
pub(crate) const CHECK_INTERVAL: TableOption<i64, WithDefault> =
    TableOption::duration("sink.rolling-policy.check-interval", "how often files are checked for that")
        .or("1 min");

pub(crate) const COMMIT_POLICY: TableOption<String> = TableOption::text(
    "sink.partition-commit.policy.kind",
    "what to do when a partition is committed; only `success-file` is supported",
);
pub(crate) const SUCCESS_FILE: TableOption<String, WithDefault> = TableOption::text(
    "sink.partition-commit.success-file.name",
    "the name of the empty file that marks a committed partition",
)
.or("_SUCCESS");
/// Whether it is the time of the partition.
pub(crate) const COMMIT_TRIGGER: TableOption<bool, WithDefault> = TableOption::word(
    "sink.partition-commit.trigger",
    &[("process-time", false), ("partition-time", true)],
    "when a partition is committed: as soon as it has new files, or when the watermark has passed the time in its name",
)
.or("process-time");
pub(crate) const COMMIT_DELAY: TableOption<i64, WithDefault> =
    TableOption::duration("sink.partition-commit.delay", "how long after that a partition is committed")
        .or("0 s");
const COMMIT_POLICY_CLASS: TableOption<String> =
    TableOption::refused("sink.partition-commit.policy.class", "the policy success-file", "a custom policy");
pub(crate) const COMMIT_ZONE: TableOption<Tz, WithDefault> = TableOption::parsed(
    "sink.partition-commit.watermark-time-zone",
    "time zone",
    "a time zone such as UTC or Europe/Berlin",
    |text| text.trim().parse().ok(),
    "the time zone of the time in a partition's name when it is compared with the watermark; set the session's if the watermark is of a TIMESTAMP_LTZ",
)
.or("UTC");
pub(crate) const EXTRACTOR_KIND: TableOption<(), WithDefault> = TableOption::word(
    "partition.time-extractor.kind",
    &[("default", ())],
    "how a partition's time is extracted from its name",
)
.not_yet(&["custom"])
.or("default");
const EXTRACTOR_CLASS: TableOption<String> = TableOption::refused(
    "partition.time-extractor.class",
    "the extractor default",
    "a custom extractor of partition times",
);
pub(crate) const EXTRACTOR_PATTERN: TableOption<String> = TableOption::text(
    "partition.time-extractor.timestamp-pattern",
    "how a partition's time is composed from its columns: `$year-$month-$day $hour:00:00`; by default the first column",
);
pub(crate) const EXTRACTOR_FORMATTER: TableOption<Formatter> = TableOption::parsed(
    "partition.time-extractor.timestamp-formatter",
    "pattern",
    "a pattern of numbers and text, such as yyyyMMdd or yyyy-MM-dd HH:mm:ss",
    Formatter::new,
    "the format of that time; by default a date, or a date and a time",
);
pub(crate) const COMPACTION: TableOption<bool, WithDefault> = TableOption::flag(
    "auto-compaction",
    "whether the files that all writers have written for a checkpoint are merged, a partition at a time, before they are visible",
)
.or("false");
pub(crate) const COMPACTION_SIZE: TableOption<u64> = TableOption::size(
    "compaction.file-size",
    "the size that merged files are to have; by default `sink.rolling-policy.file-size`",
);
pub(crate) const COMPACTION_PARALLELISM: TableOption<u64> = TableOption::number(
    "compaction.parallelism",
    1,
    256,
    "how many files are merged at the same time; by default as many as there are writers",
);
const SHUFFLE: TableOption<bool, WithDefault> = TableOption::flag(
    "sink.shuffle-by-partition.enable",
    "whether all rows of a partition go to one writer, to get fewer files",
)
.or("false")
.without_effect("rows go to the local writer");

static OPTIONS: &[&dyn AnyOption] = &[
    &PATH,
    &FORMAT,
    &DEFAULT_PARTITION,
    &PATH_PATTERN,
    &MONITOR_INTERVAL,
    &ROWS_PER_SECOND,
    &FILE_SIZE,
    &ROLLOVER_INTERVAL,
    &INACTIVITY_INTERVAL,
    &CHECK_INTERVAL,
    &COMMIT_POLICY,
    &SUCCESS_FILE,
    &COMMIT_TRIGGER,
    &COMMIT_DELAY,
    &COMMIT_ZONE,
    &EXTRACTOR_KIND,
    &EXTRACTOR_PATTERN,
    &EXTRACTOR_FORMATTER,
    &SINK_PARALLELISM,
    &ONLY_FULL_CACHE,
    &RELOAD_INTERVAL,
    &RELOAD_STRATEGY,
    &COMPACTION,
    &STATISTICS,
    &COMPACTION_SIZE,
    &COMPACTION_PARALLELISM,
    &SHUFFLE,
    &COMMIT_POLICY_CLASS,
    &EXTRACTOR_CLASS,
];

pub(crate) fn manual() -> Manual {
    Manual {
        summary: "Tables that are files: read once or watched, written exactly once.",
        details: "\
A source and a sink.

Reading: the path is a file, a directory with everything below it (names that begin with `.` or `_` are hidden), or a pattern.
Partition columns come from directory names: `dt=2024-01-01/hr=10`.
With `source.monitor-interval` new files are read as they appear, each once; a file must be complete when it appears.
Files of records ending in `.gz`, `.gzip`, `.deflate`, `.bz2`, `.xz`, `.zst`, `.zstd`, `.lz4`, `.snappy` or `.sz` are decompressed.

Writing: rows become visible with the next checkpoint, a file at a time, and exactly once.
A file never grows.
`INSERT OVERWRITE` replaces the files of the table, or of the partitions that have new rows, when the job has written everything; a record in the directory lets whoever comes next finish what was cut off.

Records that cannot be read fail the job, or become rows of another table: [`ERRORS INTO`](../sql/queries.md#errors-into).

Lookups: the whole table is read into memory, once or periodically.

Metadata columns: `file.path` STRING, `file.name` STRING, `file.size` BIGINT, `file.modification-time` TIMESTAMP_LTZ(3).",
        example: "CREATE TABLE orders (
  id BIGINT,
  item STRING,
  dt STRING,
  `file.name` STRING NOT NULL METADATA
) PARTITIONED BY (dt) WITH (
  'connector' = 'filesystem',
  'path' = '/data/orders',
  'format' = 'csv',
  'source.monitor-interval' = '10 s'
);",
        options: OPTIONS,
    }
}
