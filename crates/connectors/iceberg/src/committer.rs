//! The commit: all files of a checkpoint become one snapshot of the table, once.
//!
//! A snapshot says of which job and checkpoint it is. If the table has one of the same job and checkpoint already, its
//! files are read, and those that it has are not added again: so a commit that is asked for a second time, after a
//! restart too, changes nothing.
//!
//! Snapshots expire. When a job is restored from a checkpoint whose own snapshot may be among those that are gone, the
//! oldest snapshot that is kept says what was committed: a file of before is in it, or was rewritten into others.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committable, Committer, Payload};
use flott_storage::{Location, files};
use flott_types::{CheckpointId, Clock, Error, FastSet, Result};
use serde::{Deserialize, Serialize};

use crate::manifest::DataFile;
use crate::metadata::{Snapshot, TableMetadata};
use crate::table::IcebergTable;

/// As Flink's commits call them.
const JOB: &str = "flink.job-id";
const CHECKPOINT: &str = "flink.max-committed-checkpoint-id";

const VERSION: u32 = 1;

/// A file that a writer has handed over.
#[derive(Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// The job that has written it: checkpoints are counted by it.
    pub(crate) job: String,
    pub(crate) file: DataFile,
}

impl Written {
    pub(crate) fn to_committable(&self) -> Result<Committable> {
        Ok(Committable::global(Payload::json(VERSION, self)?))
    }
}

/// Commits the files of a table.
pub(crate) struct TableCommitter {
    table: IcebergTable,
    clock: Arc<dyn Clock>,
}

impl TableCommitter {
    pub(crate) fn new(table: IcebergTable, clock: Arc<dyn Clock>) -> Self {
        TableCommitter { table, clock }
    }

    fn append(&self, key: &(CheckpointId, String), handed_over: &HandedOver) -> Result<()> {
        let (checkpoint, job) = key;
        let done = |metadata: &TableMetadata| self.done(metadata, job, *checkpoint, handed_over);
        let summary = [(JOB, job.clone()), (CHECKPOINT, checkpoint.to_string())];
        self.table.append(&handed_over.files, &summary, self.clock.now(), &done)
    }

    /// Which of the files this version of the table has, or has had.
    fn done(
        &self,
        metadata: &TableMetadata,
        job: &str,
        checkpoint: CheckpointId,
        handed_over: &HandedOver,
    ) -> Result<FastSet<String>> {
        let mut done = FastSet::default();
        let (mut oldest, mut has_later): (Option<Snapshot<'_>>, bool) = (None, false);
        for snapshot in metadata.ancestors(metadata.current()) {
            oldest = Some(snapshot);
            let of_job = || snapshot.summary(CHECKPOINT)?.parse::<u64>().ok();
            match of_job().filter(|_| snapshot.summary(JOB) == Some(job)) {
                None => {}
                Some(its) if its > checkpoint.0 => has_later = true,
                Some(its) if its == checkpoint.0 => {
                    done.extend(self.table.added(&snapshot)?.into_iter().map(|file| file.path));
                }
                // Checkpoints of a job are committed in their order.
                Some(_) => return Ok(done),
            }
        }
        // The first request for what this start has written comes before anything can have expired.
        let expired = oldest.filter(|oldest| oldest.parent().is_some() && handed_over.restored);
        let Some(oldest) = expired.filter(|_| done.is_empty()) else { return Ok(done) };
        let paths = handed_over.files.iter().map(|file| &file.path);
        if has_later {
            return Ok(paths.cloned().collect());
        }
        let known = self.table.paths(&oldest)?;
        for path in paths {
            if known.contains(path) {
                done.insert(path.clone());
            } else if files::look(&Location::parse(path)?)?.is_none() {
                return Err(Error::state(format!(
                    "the file {path} was written before checkpoint {checkpoint}, and neither it nor the snapshot of that checkpoint \
                     is there any more: it was committed and rewritten since, or removed by hand; start from a later checkpoint, or \
                     give the sink another uid to begin it anew"
                )));
            }
        }
        Ok(done)
    }
}

/// What is committed together.
#[derive(Default)]
struct HandedOver {
    files: Vec<DataFile>,
    /// An earlier start of the job may have committed them.
    restored: bool,
    /// Which requests they are.
    requests: Vec<usize>,
}

impl Committer for TableCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut groups: BTreeMap<(CheckpointId, String), HandedOver> = BTreeMap::new();
        for (at, request) in requests.iter().enumerate() {
            let payload = &request.committable.payload;
            let Written { job, file } = payload.from_json(&[VERSION], "a file of an Iceberg table")?;
            let group = groups.entry((request.checkpoint, job)).or_default();
            group.requests.push(at);
            group.files.push(file);
            group.restored |= request.restored;
        }
        let mut outcomes = vec![CommitOutcome::Committed; requests.len()];
        for (key, group) in groups {
            if let Err(error) = self.append(&key, &group) {
                let outcome = match error.is_retryable() {
                    true => CommitOutcome::Retry { after: None, reason: error.to_string() },
                    false => CommitOutcome::Failed(error.to_string()),
                };
                group.requests.into_iter().for_each(|at| outcomes[at] = outcome.clone());
            }
        }
        Ok(outcomes)
    }
}

/// The committer of a subtask, which has nothing to commit.
pub(crate) struct Nothing;

impl Committer for Nothing {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        match requests {
            [] => Ok(Vec::new()),
            _ => Err(Error::internal("files of an Iceberg table are committed for the whole job")),
        }
    }
}
