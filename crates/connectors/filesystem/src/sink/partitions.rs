//! The commit of partitions: once for all writers, when the trigger says so, a success file says that a partition is there.
//!
//! With each checkpoint a writer hands over the partitions in which it has new files. Where it depends on more than that when they are committed, it
//! hands over as well how far it has come. The files themselves are committed before by the writers' own committers. A partition
//! that is not due waits, in checkpoints too; at the end of the input everything is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committable, Payload};
use flott_storage::Location;
use flott_storage::files;
use flott_types::{Clock, Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::progress::{Heard, Progress};
use crate::commit::{PartitionCommit, Trigger};

/// 1 did not tell of how many writers a checkpoint is, and which are idle.
const VERSION: u32 = 2;

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
    Progress(Progress),
    /// The token of an INSERT OVERWRITE ([`flott_files::Overwriter`]).
    Token(String),
}

impl HandedOver {
    pub(super) fn to_committable(&self) -> Result<Committable> {
        Ok(Committable::global(Payload::json(VERSION, self)?))
    }

    pub(super) fn read(request: &CommitRequest) -> Result<Self> {
        request.committable.payload.from_json(&[VERSION], "a partition to be committed")
    }
}

/// What is said of a token where nothing is overwritten.
pub(super) const FOREIGN: &str = "the snapshot is of an INSERT OVERWRITE, and this job is none";

/// Commits the partitions of a table.
pub(super) struct PartitionCommitter {
    commit: PartitionCommit,
    clock: Arc<dyn Clock>,
    heard: Heard,
}

/// A partition in question.
#[derive(Clone, Copy)]
struct Pending {
    since: Timestamp,
    time: Option<Timestamp>,
    /// Which of the requests says so, the oldest.
    oldest: usize,
}

impl PartitionCommitter {
    pub(super) fn new(commit: PartitionCommit, clock: Arc<dyn Clock>) -> Self {
        PartitionCommitter { commit, clock, heard: Heard::default() }
    }

    /// Whether it is time; if not, how long that is known not to be.
    fn waits(&self, pending: &Pending, now: Timestamp) -> Option<Option<i64>> {
        let delay = self.commit.delay;
        if self.heard.ended {
            return None;
        }
        match (&self.commit.trigger, pending.time) {
            (Trigger::PartitionTime(_), Some(time)) => {
                (self.heard.watermark <= time.saturating_add(delay)).then_some(None)
            }
            (Trigger::PartitionTime(_), None) | (Trigger::ProcessTime, _) => {
                let due = pending.since.saturating_add(delay);
                (delay > 0 && now <= due).then(|| Some(due.saturating_sub(now).saturating_add(1)))
            }
        }
    }

    fn publish(&self, directory: &str) -> CommitOutcome {
        let touched = Location::try_from(directory.to_owned()).and_then(|directory| {
            let is_there = files::may_be_directory(&directory);
            if is_there {
                files::touch(&directory.join(&self.commit.success_file))?;
            }
            Ok(is_there)
        });
        match touched {
            Ok(true) => CommitOutcome::Committed,
            Ok(false) => {
                tracing::warn!("the partition {directory} was taken away before it was committed");
                CommitOutcome::AlreadyCommitted
            }
            Err(error) if error.is_retryable() => {
                CommitOutcome::Retry { after: None, reason: error.to_string() }
            }
            Err(error) => CommitOutcome::Failed(error.to_string()),
        }
    }

    /// Commits those that are due, and whose files are there: not those in directories that are `undone`.
    pub(super) fn commit(
        &mut self,
        requests: &[&CommitRequest],
        undone: &BTreeSet<Location>,
    ) -> Result<Vec<CommitOutcome>> {
        let read = |request| Ok((request, HandedOver::read(request)?));
        let all: Vec<(&CommitRequest, HandedOver)> =
            requests.iter().copied().map(read).collect::<Result<_>>()?;
        self.heard.hear(all.iter().filter_map(|(request, handed_over)| match handed_over {
            HandedOver::Progress(progress) => Some((request.checkpoint, progress)),
            HandedOver::Partition { .. } | HandedOver::Token(_) => None,
        }));
        // A partition is committed once for all its files, as of the first of them.
        let mut partitions: BTreeMap<&str, Pending> = BTreeMap::new();
        for (at, (_, handed_over)) in all.iter().enumerate() {
            if let HandedOver::Partition { directory, since, time } = handed_over {
                let this = Pending { since: *since, time: *time, oldest: at };
                let pending = partitions.entry(directory).or_insert(this);
                if this.since < pending.since {
                    *pending = this;
                }
            }
        }
        let now = self.clock.now();
        let outcome = |(directory, pending): (&str, Pending)| {
            let outcome = match self.waits(&pending, now) {
                Some(after) => CommitOutcome::Wait { after },
                None if Location::try_from(directory.to_owned()).is_ok_and(|it| undone.contains(&it)) => {
                    let reason = format!("files of the partition {directory} are not merged yet");
                    CommitOutcome::Retry { after: None, reason }
                }
                None => self.publish(directory),
            };
            (directory.to_owned(), (pending.oldest, outcome))
        };
        let outcomes: BTreeMap<String, (usize, CommitOutcome)> =
            partitions.into_iter().map(outcome).collect();
        let answer = |(at, (_, handed_over)): (usize, &(&CommitRequest, HandedOver))| match handed_over {
            HandedOver::Progress(_) => CommitOutcome::Committed,
            HandedOver::Token(_) => CommitOutcome::Failed(FOREIGN.to_owned()),
            HandedOver::Partition { directory, .. } => match outcomes.get(directory) {
                // The oldest waits for all: the others would say nothing new, in every checkpoint.
                Some((oldest, CommitOutcome::Wait { .. })) if *oldest != at => CommitOutcome::Committed,
                Some((_, outcome)) => outcome.clone(),
                None => CommitOutcome::Wait { after: None },
            },
        };
        Ok(all.iter().enumerate().map(answer).collect())
    }
}
