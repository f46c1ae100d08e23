//! The commit of partitions: once for all writers, when the trigger says so, a success file says that a partition is there.
//!
//! With each checkpoint a writer hands over the partitions in which it has new files. Where it depends on more than that when they are committed, it
//! hands over as well how far it has come. The files themselves are committed before by the writers' own committers. A partition
//! that is not due waits, in checkpoints too; at the end of the input everything is due.
//!
//! What writers say of themselves counts when all of them have said it of the same checkpoint: of one that
//! was aborted some have and others have not. Event time is the least of the writers that are not idle, and
//! never goes back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committable, Payload};
use flott_storage::Location;
use flott_storage::files;
use flott_types::{CheckpointId, Clock, Result, Timestamp};
use serde::{Deserialize, Serialize};

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
}

/// How far a writer has come.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    pub(super) subtask: u32,
    /// How many writers there are, itself included. After a restore there may be another number.
    pub(super) writers: u32,
    pub(super) watermark: Timestamp,
    /// It has had no data for a while, and event time goes on without it.
    pub(super) idle: bool,
    pub(super) ended: bool,
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
    /// The least of the writers that are not idle, as of the last checkpoint.
    watermark: Timestamp,
    /// All writers have come to their end.
    ended: bool,
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
        PartitionCommitter { commit, clock, watermark: Timestamp::MIN, ended: false }
    }

    /// Takes note of what writers say of themselves: of the last checkpoint of which all have said it.
    fn hear(&mut self, all: &[(&CommitRequest, HandedOver)]) {
        let mut heard: BTreeMap<CheckpointId, BTreeMap<u32, Progress>> = BTreeMap::new();
        for (request, handed_over) in all {
            if let HandedOver::Progress(progress) = handed_over {
                heard.entry(request.checkpoint).or_default().insert(progress.subtask, *progress);
            }
        }
        let complete = |writers: &BTreeMap<u32, Progress>| {
            writers.values().all(|progress| progress.writers as usize == writers.len())
        };
        let Some(writers) = heard.into_values().rev().find(complete) else { return };
        let active = writers.values().filter(|progress| !progress.idle);
        if let Some(watermark) = active.map(|progress| progress.watermark).min() {
            self.watermark = self.watermark.max(watermark);
        }
        self.ended = writers.values().all(|progress| progress.ended);
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
        self.hear(&all);
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
