//! The options of a table, checked.

use std::sync::Arc;

use flott_connector::format::FileFormat;
use flott_connector::options::FORMAT;
use flott_connector::{Format, Options};
use flott_files::Rolling;
use flott_plan::{Column, Schema, TableSpec};
use flott_storage::Location;
use flott_types::Result;
use regex::Regex;

use crate::commit::PartitionCommit;
use crate::options::{
    CHECK_INTERVAL, COMPACTION, COMPACTION_PARALLELISM, COMPACTION_SIZE, DEFAULT_PARTITION, FILE_SIZE,
    INACTIVITY_INTERVAL, MONITOR_INTERVAL, PATH, PATH_PATTERN, ROLLOVER_INTERVAL, ROWS_PER_SECOND,
};
use crate::partition::Partitioning;

/// A table of files.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) path: Location,
    pub(crate) format: Arc<dyn Format>,
    pub(crate) partitioning: Partitioning,
    /// `source.path.regex-pattern`: whole paths must match.
    pub(crate) pattern: Option<Regex>,
    /// `source.monitor-interval`, in milliseconds.
    pub(crate) monitor_interval: Option<i64>,
    /// `source.rate-limit.rows-per-second`: for the whole job. Not a Flink option.
    pub(crate) rows_per_second: Option<f64>,
    pub(crate) rolling: Rolling,
    /// How partitions are committed, if they are.
    pub(crate) commit: Option<PartitionCommit>,
    /// Whether the small files of a checkpoint are merged before they are visible, and how.
    pub(crate) compaction: Option<Compaction>,
}

/// `compaction.*`: how the files of a checkpoint are merged.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Compaction {
    /// How many bytes a merged file is to have.
    pub(crate) file_size: u64,
    /// How many files are merged at the same time; by default as many as there are writers.
    pub(crate) parallelism: Option<usize>,
}

impl Compaction {
    fn new(options: &Options<'_>) -> Result<Option<Self>> {
        let file_size = match options.get(&COMPACTION_SIZE)? {
            Some(size) => size,
            None => options.get(&FILE_SIZE)?,
        };
        let parallelism = options.get(&COMPACTION_PARALLELISM)?.map(|threads| threads as usize);
        Ok(options.get(&COMPACTION)?.then_some(Compaction { file_size, parallelism }))
    }
}

impl Config {
    pub(crate) fn new(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        let path = Location::parse(&options.get(&PATH)?)?;
        let format = options.format(&FORMAT)?;
        format.for_files()?;
        Ok(Config {
            path,
            format,
            partitioning: Partitioning::new(table, &options.get(&DEFAULT_PARTITION)?)?,
            pattern: options.get(&PATH_PATTERN)?,
            monitor_interval: options.get(&MONITOR_INTERVAL)?,
            rows_per_second: options.get(&ROWS_PER_SECOND)?,
            rolling: Rolling {
                file_size: options.get(&FILE_SIZE)?,
                rollover_interval: options.get(&ROLLOVER_INTERVAL)?,
                inactivity_interval: options.get(&INACTIVITY_INTERVAL)?,
                check_interval: options.get(&CHECK_INTERVAL)?.max(1),
            },
            compaction: Compaction::new(options)?,
            commit: PartitionCommit::new(options)?.filter(|_| !table.partition_keys.is_empty()),
        })
    }

    /// How the files are read and written.
    pub(crate) fn files(&self) -> Result<FileFormat<'_>> {
        self.format.for_files()
    }

    /// The columns that are in the files: all but the partition columns. With the position of each in the
    /// table.
    pub(crate) fn file_columns(&self, table: &TableSpec) -> (Vec<usize>, Schema) {
        let in_files =
            |index: &usize| self.partitioning.columns.iter().all(|(partition, ..)| partition != index);
        let positions: Vec<usize> = (0..table.schema.len()).filter(in_files).collect();
        let columns: Vec<Column> =
            positions.iter().map(|index| table.schema.columns[*index].clone()).collect();
        (positions, Schema { columns })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_connector::Formats;

    use super::*;

    #[test]
    fn files_roll_by_default_as_those_of_programs_do() {
        let (values, formats) = (BTreeMap::new(), Formats::default());
        let options = Options::new("t", &values, &crate::options::manual(), &formats);
        let rolling = Rolling {
            file_size: options.get(&FILE_SIZE).unwrap(),
            rollover_interval: options.get(&ROLLOVER_INTERVAL).unwrap(),
            inactivity_interval: options.get(&INACTIVITY_INTERVAL).unwrap(),
            check_interval: options.get(&CHECK_INTERVAL).unwrap(),
        };
        assert_eq!(rolling, Rolling::default());
    }
}
