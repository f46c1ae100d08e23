//! The commit: all files of a checkpoint become one snapshot of the table, once.
//!
//! A snapshot says of which job and checkpoint it is. If the table has one of the same job and checkpoint already, its
//! files are read, and those that it has are not added again: so a commit that is asked for a second time, after a
//! restart too, changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committable, Committer, Payload};
use flott_types::{CheckpointId, Clock, Error, Result};
use serde::{Deserialize, Serialize};

use crate::manifest::DataFile;
use crate::metadata::TableMetadata;
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

    fn append(&self, job: &str, checkpoint: CheckpointId, files: &[DataFile]) -> Result<()> {
        let checkpoint = checkpoint.to_string();
        let done = |metadata: &TableMetadata| -> Result<Vec<String>> {
            let mut done = Vec::new();
            for snapshot in metadata.ancestors(metadata.current()) {
                if snapshot.summary(JOB) == Some(job) && snapshot.summary(CHECKPOINT) == Some(&checkpoint) {
                    done.extend(self.table.added(&snapshot)?.into_iter().map(|file| file.path));
                }
            }
            Ok(done)
        };
        let summary = [(JOB, job.to_owned()), (CHECKPOINT, checkpoint.clone())];
        self.table.append(files, &summary, self.clock.now(), &done)
    }
}

impl Committer for TableCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut groups: BTreeMap<(CheckpointId, String), (Vec<usize>, Vec<DataFile>)> = BTreeMap::new();
        for (at, request) in requests.iter().enumerate() {
            let payload = &request.committable.payload;
            let Written { job, file } = payload.from_json(&[VERSION], "a file of an Iceberg table")?;
            let group = groups.entry((request.checkpoint, job)).or_default();
            group.0.push(at);
            group.1.push(file);
        }
        let mut outcomes = vec![CommitOutcome::Committed; requests.len()];
        for ((checkpoint, job), (ats, files)) in groups {
            if let Err(error) = self.append(&job, checkpoint, &files) {
                let outcome = match error.is_retryable() {
                    true => CommitOutcome::Retry { after: None, reason: error.to_string() },
                    false => CommitOutcome::Failed(error.to_string()),
                };
                ats.into_iter().for_each(|at| outcomes[at] = outcome.clone());
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
