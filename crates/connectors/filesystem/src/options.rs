//! The options of a table.

use flott_connector::lookup::options::{ONLY_FULL_CACHE, RELOAD_INTERVAL, RELOAD_STRATEGY};
use flott_connector::options::{FORMAT, SINK_PARALLELISM};
use flott_connector::{AnyOption, Manual, Required, TableOption, WithDefault};
use regex::Regex;

pub(crate) const PATH: TableOption<String, Required> = TableOption::text(
    "path",
    "the file, the directory, or a pattern with `*` and `?`; local, with or without `file://`",
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
    "how often is looked for new files; without it the source ends with the files that there are",
);
pub(crate) const ROWS_PER_SECOND: TableOption<f64> = TableOption::parsed(
    "source.rate-limit.rows-per-second",
    "number",
    "a number above 0",
    |text| text.trim().parse().ok().filter(|rate| *rate > 0.0),
    "all readers together read no more rows in a second; not an option of Flink's",
);
const STATISTICS: TableOption<String> =
    TableOption::text("source.report-statistics", "what the planner is told of the files")
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
    TableOption::duration("sink.rolling-policy.check-interval", "how often files are looked at for that")
        .or("1 min");

pub(crate) const COMMIT_POLICY: TableOption<String> = TableOption::text(
    "sink.partition-commit.policy.kind",
    "what is done when a partition has new files; there is `success-file`",
);
pub(crate) const SUCCESS_FILE: TableOption<String, WithDefault> = TableOption::text(
    "sink.partition-commit.success-file.name",
    "the name of the empty file that says that a partition has new files",
)
.or("_SUCCESS");
const COMMIT_TRIGGER: TableOption<(), WithDefault> = TableOption::word(
    "sink.partition-commit.trigger",
    &[("process-time", ())],
    "when a partition is committed",
)
.not_yet(&["partition-time"])
.or("process-time");
pub(crate) const COMMIT_DELAY: TableOption<i64, WithDefault> =
    TableOption::duration("sink.partition-commit.delay", "how long after that; there is 0").or("0 s");
const COMMIT_POLICY_CLASS: TableOption<String> = TableOption::refused(
    "sink.partition-commit.policy.class",
    "the policy success-file",
    "a policy of one's own",
);
const COMMIT_ZONE: TableOption<String> = TableOption::refused(
    "sink.partition-commit.watermark-time-zone",
    "the trigger process-time",
    "the time zone in which a partition's time is compared with the watermark",
);
const EXTRACTOR_KIND: TableOption<String> = TableOption::refused(
    "partition.time-extractor.kind",
    "the trigger process-time",
    "how a partition's time is read from its name",
);
const EXTRACTOR_CLASS: TableOption<String> = TableOption::refused(
    "partition.time-extractor.class",
    "the trigger process-time",
    "a reader of partitions' times of one's own",
);
const EXTRACTOR_PATTERN: TableOption<String> = TableOption::refused(
    "partition.time-extractor.timestamp-pattern",
    "the trigger process-time",
    "where in a partition's name its time is",
);
const EXTRACTOR_FORMATTER: TableOption<String> = TableOption::refused(
    "partition.time-extractor.timestamp-formatter",
    "the trigger process-time",
    "how a partition's time is written",
);
const COMPACTION: TableOption<(), WithDefault> =
    TableOption::word("auto-compaction", &[("false", ())], "whether small files become larger ones")
        .in_any_case()
        .not_yet(&["true"])
        .or("false");
const COMPACTION_SIZE: TableOption<u64> = TableOption::size("compaction.file-size", "how large files become")
    .without_effect("there is no compaction");
const COMPACTION_PARALLELISM: TableOption<u64> =
    TableOption::number("compaction.parallelism", 1, u64::MAX, "how many compact")
        .without_effect("there is no compaction");
const SHUFFLE: TableOption<bool, WithDefault> = TableOption::flag(
    "sink.shuffle-by-partition.enable",
    "whether rows of a partition go to one writer, for fewer files",
)
.or("false")
.without_effect("rows go to the writer beside the operator that they come from");

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
    &COMMIT_ZONE,
    &EXTRACTOR_KIND,
    &EXTRACTOR_CLASS,
    &EXTRACTOR_PATTERN,
    &EXTRACTOR_FORMATTER,
];

pub(crate) fn manual() -> Manual {
    Manual {
        summary: "Tables that are files: read once or watched, written exactly once.",
        details: "\
A source and a sink.

Reading: the path is a file, a directory with all below it (names that begin with `.` or `_` are hidden), or a pattern.
Partition columns come from directory names: `dt=2024-01-01/hr=10`. With `source.monitor-interval` new files are read as they appear, each once; a file
must be complete when it appears. Files ending in `.gz`, `.gzip` or `.deflate` are read compressed.

Writing: rows become visible with the checkpoint after them, a file at a time, and exactly once. A file never grows.

Looked up by key: all of it is read into memory, once or anew from time to time.

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
