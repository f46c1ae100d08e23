//! The commit of partitions: once for all writers, when the trigger says so, a success file says that a partition is there.
//!
//! With each checkpoint a writer hands over the partitions in which it has new files. Where it depends on more than that when they are committed, it
//! hands over as well how far it has come. The files themselves are committed before by the writers' own committers. A partition
//! that is not due waits, in checkpoints too; at the end of the input everything is due.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committable, Committer, Payload};
use flott_storage::local as storage;
use flott_types::{Clock, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::commit::{PartitionCommit, Trigger};

const VERSION: u32 = 1;

/// What is handed over for the job.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum HandedOver {
    /// A partition has new files.
    Partition {
        directory: String,
        /// When that was noticed.
        since: Timestamp,
        /// The time in its name, if that counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<Timestamp>,
    },
    /// How far a writer has come.
    Progress { subtask: u32, watermark: Timestamp, ended: bool },
}

impl HandedOver {
    pub(super) fn to_committable(&self) -> Result<Committable> {
        Ok(Committable::global(Payload::json(VERSION, self)?))
    }

    fn read(request: &CommitRequest) -> Result<Self> {
        request.committable.payload.from_json(&[VERSION], "a partition to be committed")
    }
}

/// Commits the partitions of a table.
pub(super) struct PartitionCommitter {
    commit: PartitionCommit,
    clock: Arc<dyn Clock>,
    /// The least of all writers, as of the last checkpoint.
    watermark: Timestamp,
    /// All writers have come to their end.
    ended: bool,
}

/// A partition in question.
struct Pending {
    since: Timestamp,
    time: Option<Timestamp>,
}

impl PartitionCommitter {
    pub(super) fn new(commit: PartitionCommit, clock: Arc<dyn Clock>) -> Self {
        PartitionCommitter { commit, clock, watermark: Timestamp::MIN, ended: false }
    }

    /// Takes note of what writers say of themselves, those of the last checkpoint that has come.
    fn hear(&mut self, all: &[(&CommitRequest, HandedOver)]) {
        let progress = all.iter().filter_map(|(request, handed_over)| match handed_over {
            HandedOver::Progress { watermark, ended, .. } => Some((request.checkpoint, *watermark, *ended)),
            HandedOver::Partition { .. } => None,
        });
        let Some(last) = progress.clone().map(|(checkpoint, ..)| checkpoint).max() else { return };
        let of_last = progress.filter(|(checkpoint, ..)| *checkpoint == last);
        self.watermark = of_last.clone().map(|(_, watermark, _)| watermark).min().unwrap_or(Timestamp::MIN);
        self.ended = of_last.clone().all(|(.., ended)| ended);
    }

    /// Whether it is time; if not, how long that is known not to be.
    fn waits(&self, pending: &Pending, now: Timestamp) -> Option<Option<i64>> {
        let delay = self.commit.delay;
        if self.ended {
            return None;
        }
        match (&self.commit.trigger, pending.time) {
            (Trigger::PartitionTime(_), Some(time)) => {
                (self.watermark <= time.saturating_add(delay)).then_some(None)
            }
            (Trigger::PartitionTime(_), None) | (Trigger::ProcessTime, _) => {
                let due = pending.since.saturating_add(delay);
                (delay > 0 && now <= due).then(|| Some(due.saturating_sub(now).saturating_add(1)))
            }
        }
    }

    fn publish(&self, directory: &Path) -> CommitOutcome {
        if !directory.is_dir() {
            tracing::warn!("the partition {} was taken away before it was committed", directory.display());
            return CommitOutcome::AlreadyCommitted;
        }
        match storage::touch(&directory.join(&self.commit.success_file)) {
            Ok(()) => CommitOutcome::Committed,
            Err(error) if error.is_retryable() => {
                CommitOutcome::Retry { after: None, reason: error.to_string() }
            }
            Err(error) => CommitOutcome::Failed(error.to_string()),
        }
    }
}

impl Committer for PartitionCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let read = |request| Ok((request, HandedOver::read(request)?));
        let all: Vec<(&CommitRequest, HandedOver)> = requests.iter().map(read).collect::<Result<_>>()?;
        self.hear(&all);
        // A partition is committed once for all its files, as of the first of them.
        let mut partitions: BTreeMap<&str, Pending> = BTreeMap::new();
        for (_, handed_over) in &all {
            if let HandedOver::Partition { directory, since, time } = handed_over {
                let pending = partitions.entry(directory).or_insert(Pending { since: *since, time: *time });
                pending.since = pending.since.min(*since);
            }
        }
        let now = self.clock.now();
        let outcome = |(directory, pending): (&str, Pending)| {
            let outcome = match self.waits(&pending, now) {
                Some(after) => CommitOutcome::Wait { after },
                None => self.publish(&PathBuf::from(directory)),
            };
            (directory.to_owned(), outcome)
        };
        let outcomes: BTreeMap<String, CommitOutcome> = partitions.into_iter().map(outcome).collect();
        let answer = |(_, handed_over): &(&CommitRequest, HandedOver)| match handed_over {
            HandedOver::Progress { .. } => CommitOutcome::Committed,
            HandedOver::Partition { directory, .. } => {
                outcomes.get(directory).cloned().unwrap_or(CommitOutcome::Wait { after: None })
            }
        };
        Ok(all.iter().map(answer).collect())
    }
}
