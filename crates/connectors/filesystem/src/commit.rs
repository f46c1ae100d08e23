//! `sink.partition-commit.*`: when a partition is committed, and what is done then.

use flott_connector::Options;
use flott_types::Result;

use crate::options::{
    COMMIT_DELAY, COMMIT_POLICY, COMMIT_TRIGGER, COMMIT_ZONE, EXTRACTOR_FORMATTER, EXTRACTOR_KIND,
    EXTRACTOR_PATTERN, SUCCESS_FILE,
};
use crate::partition_time::PartitionTime;

/// How partitions are committed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PartitionCommit {
    pub(crate) trigger: Trigger,
    /// In milliseconds, after that.
    pub(crate) delay: i64,
    /// The name of the file that is put into it.
    pub(crate) success_file: String,
}

/// When a partition is committed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Trigger {
    /// When its new files are there.
    ProcessTime,
    /// When the watermark has passed the time in its name.
    PartitionTime(PartitionTime),
}

impl PartitionCommit {
    /// What the options of a partitioned table say; `None` if partitions are not committed.
    pub(crate) fn new(options: &Options<'_>) -> Result<Option<Self>> {
        let delay = options.get(&COMMIT_DELAY)?;
        options.get(&EXTRACTOR_KIND)?;
        let trigger = match options.get(&COMMIT_TRIGGER)? {
            false => Trigger::ProcessTime,
            true => Trigger::PartitionTime(PartitionTime {
                pattern: options.get(&EXTRACTOR_PATTERN)?,
                formatter: options.get(&EXTRACTOR_FORMATTER)?,
                zone: options.get(&COMMIT_ZONE)?,
            }),
        };
        let Some(kinds) = options.get(&COMMIT_POLICY)? else {
            return Ok(None);
        };
        if kinds.split(',').any(|kind| kind.trim() != "success-file") {
            return Err(options.not_built(&COMMIT_POLICY, "success-file"));
        }
        Ok(Some(PartitionCommit { trigger, delay, success_file: options.get(&SUCCESS_FILE)? }))
    }

    /// Whether it depends on how far writers have come.
    pub(crate) fn follows_progress(&self) -> bool {
        self.delay > 0 || matches!(self.trigger, Trigger::PartitionTime(_))
    }
}
