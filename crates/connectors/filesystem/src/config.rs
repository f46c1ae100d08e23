//! The options of a table, checked.

use std::path::PathBuf;

use flott_connector::Options;
use flott_files::{Rolling, storage};
use flott_formats::Format;
use flott_plan::{Column, Schema, TableSpec};
use flott_types::{Error, Result};
use regex::Regex;

use crate::partition::Partitioning;

/// A table of files.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) partitioning: Partitioning,
    /// `source.path.regex-pattern`: whole paths must match.
    pub(crate) pattern: Option<Regex>,
    /// `source.monitor-interval`, in milliseconds.
    pub(crate) monitor_interval: Option<i64>,
    /// `source.rate-limit.rows-per-second`: of the whole job. Not an option of Flink's.
    pub(crate) rows_per_second: Option<f64>,
    pub(crate) rolling: Rolling,
    /// `sink.partition-commit.policy.kind` holds `success-file`: the name of that file.
    pub(crate) success_file: Option<String>,
}

impl Config {
    pub(crate) fn new(table: &TableSpec) -> Result<Self> {
        let mut options = Options::new(&table.name, &table.options);
        let path = storage::local_path(options.required("path")?)?;
        let name = options.required("format")?;
        let format = Format::new(name, &mut options, &format!("{name}."))?;
        let default_name = options.text("partition.default-name").unwrap_or("__DEFAULT_PARTITION__");
        let partitioning = Partitioning::new(table, default_name)?;
        let pattern = match options.text("source.path.regex-pattern") {
            None => None,
            Some(pattern) => Some(Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
                options.wrong("source.path.regex-pattern", pattern, "a regular expression").with_source(error)
            })?),
        };
        let rows_per_second =
            options.parsed::<f64>("source.rate-limit.rows-per-second", "a number above 0")?;
        if let Some(rate) = rows_per_second.filter(|rate| rate.is_nan() || *rate <= 0.0) {
            return Err(options.wrong(
                "source.rate-limit.rows-per-second",
                &rate.to_string(),
                "a number above 0",
            ));
        }
        let monitor_interval = options.millis("source.monitor-interval")?;
        if monitor_interval == Some(0) {
            return Err(options.wrong("source.monitor-interval", "0", "a duration above 0"));
        }
        let default = Rolling::default();
        let rolling = Rolling {
            file_size: options.bytes("sink.rolling-policy.file-size")?.unwrap_or(default.file_size),
            rollover_interval: options
                .millis("sink.rolling-policy.rollover-interval")?
                .unwrap_or(default.rollover_interval),
            inactivity_interval: options
                .millis("sink.rolling-policy.inactivity-interval")?
                .unwrap_or(default.inactivity_interval),
            check_interval: options
                .millis("sink.rolling-policy.check-interval")?
                .unwrap_or(default.check_interval)
                .max(1),
        };
        let success_file = partition_commit(&mut options)?;
        if options.flag("auto-compaction", false)? {
            return Err(Error::unsupported(format!(
                "table {}: 'auto-compaction' is not built yet",
                table.name
            )));
        }
        options.text("compaction.file-size");
        options.text("compaction.parallelism");
        // These are the planner's, or tell of no difference here.
        options.parsed::<u32>("sink.parallelism", "a number")?;
        options.flag("sink.shuffle-by-partition.enable", false)?;
        options.text("source.report-statistics");
        options.finish()?;
        Ok(Config {
            path,
            format,
            partitioning,
            pattern,
            monitor_interval,
            rows_per_second,
            rolling,
            success_file,
        })
    }

    /// The columns that are in the files: all but the partition columns. With the position of each in the table.
    pub(crate) fn file_columns(&self, table: &TableSpec) -> (Vec<usize>, Schema) {
        let in_files =
            |index: &usize| self.partitioning.columns.iter().all(|(partition, ..)| partition != index);
        let positions: Vec<usize> = (0..table.schema.len()).filter(in_files).collect();
        let columns: Vec<Column> =
            positions.iter().map(|index| table.schema.columns[*index].clone()).collect();
        (positions, Schema { columns })
    }
}

/// The success file's name, where `sink.partition-commit.*` asks for one.
fn partition_commit(options: &mut Options<'_>) -> Result<Option<String>> {
    const TRIGGER: &str = "sink.partition-commit.trigger";
    const DELAY: &str = "sink.partition-commit.delay";
    const POLICY: &str = "sink.partition-commit.policy.kind";
    let unsupported = |key: &str, value: &str, there_is: &str| {
        Err(Error::unsupported(format!(
            "the option '{key}' = '{value}' is not built yet; there is: {there_is}"
        )))
    };
    let mut later = options.with_prefix("partition.time-extractor.");
    for key in ["sink.partition-commit.policy.class", "sink.partition-commit.watermark-time-zone"] {
        later.extend(options.text(key).map(|value| (key, value)));
    }
    if let Some((key, value)) = later.first() {
        return unsupported(key, value, "the trigger process-time and the policy success-file");
    }
    if let Some(trigger) = options.text(TRIGGER).filter(|trigger| *trigger != "process-time") {
        return unsupported(TRIGGER, trigger, "process-time");
    }
    if options.millis(DELAY)?.is_some_and(|delay| delay > 0) {
        return unsupported(DELAY, options.text(DELAY).unwrap_or_default(), "0 s");
    }
    let file_name = options.text("sink.partition-commit.success-file.name").unwrap_or("_SUCCESS").to_owned();
    let Some(kinds) = options.text(POLICY) else {
        return Ok(None);
    };
    if let Some(other) = kinds.split(',').map(str::trim).find(|kind| *kind != "success-file") {
        return unsupported(POLICY, other, "success-file");
    }
    Ok(Some(file_name))
}
