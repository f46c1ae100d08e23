//! What is committed once for all writers of a table: small files that are merged, then the partitions that they are in.

use std::collections::BTreeSet;
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committer, GlobalCommitterContext};
use flott_files::{FinishedFile, Merger, MergerContext};
use flott_plan::Schema;
use flott_storage::Location;
use flott_types::{Error, Result};

use super::merging::JoinFiles;
use super::partitions::{FOREIGN, PartitionCommitter};
use crate::config::Config;

pub(super) struct TableCommitter {
    merger: Option<(Merger, JoinFiles)>,
    partitions: Option<PartitionCommitter>,
}

impl TableCommitter {
    pub(super) fn new(config: &Arc<Config>, schema: Schema, context: &GlobalCommitterContext) -> Self {
        let merging = config.compaction.as_ref().map(|compaction| MergerContext {
            root: config.path.clone(),
            file_size: compaction.file_size,
            parallelism: compaction.parallelism.unwrap_or(context.parallelism as usize),
        });
        let merger =
            merging.map(|merging| (Merger::new(merging, context), JoinFiles::new(config.clone(), schema)));
        let partitions = config.commit.clone();
        let partitions = partitions.map(|commit| PartitionCommitter::new(commit, context.clock.clone()));
        TableCommitter { merger, partitions }
    }

    /// Merges files; also says which directories are not done.
    fn merge(&self, parts: &[&CommitRequest]) -> Result<(Vec<CommitOutcome>, BTreeSet<Location>)> {
        let Some((merger, join)) = self.merger.as_ref().filter(|_| !parts.is_empty()) else {
            return match parts {
                [] => Ok(Default::default()),
                _ => Err(Error::state(
                    "a checkpoint holds files that are to be merged: start the job with 'auto-compaction' once more, and stop it \
                     with a savepoint when they are",
                )),
            };
        };
        let outcomes = merger.commit(parts, join)?;
        let mut undone = BTreeSet::new();
        for (part, outcome) in parts.iter().zip(&outcomes) {
            if !matches!(outcome, CommitOutcome::Committed | CommitOutcome::AlreadyCommitted) {
                undone.insert(FinishedFile::directory(&part.committable)?);
            }
        }
        Ok((outcomes, undone))
    }
}

impl Committer for TableCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        if requests.iter().any(|request| FinishedFile::is_replacing(&request.committable)) {
            return Err(Error::state(FOREIGN));
        }
        let (parts, others): (Vec<_>, Vec<_>) =
            requests.iter().partition(|request| FinishedFile::is_part(&request.committable));
        let (merged, undone) = self.merge(&parts)?;
        let committed = match &mut self.partitions {
            Some(partitions) => partitions.commit(&others, &undone)?,
            None if others.is_empty() => Vec::new(),
            None => return Err(Error::internal("partitions of this table are not committed")),
        };
        let (mut merged, mut committed) = (merged.into_iter(), committed.into_iter());
        let answers = requests.iter().map(|request| match FinishedFile::is_part(&request.committable) {
            true => merged.next(),
            false => committed.next(),
        });
        answers.collect::<Option<_>>().ok_or_else(|| Error::internal("a commit has no answer"))
    }
}
