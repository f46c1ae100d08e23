//! INSERT OVERWRITE: the files of all writers wait until these have ended, and then take the place of what the table holds,
//! or the partitions that they are in.

use std::collections::BTreeSet;
use std::sync::Arc;

use flott_connector::{CommitOutcome, CommitRequest, Committer, GlobalCommitterContext};
use flott_files::{FinishedFile, Overwriter};
use flott_plan::SinkSpec;
use flott_storage::Location;
use flott_types::{Error, Result};

use super::partitions::{HandedOver, PartitionCommitter};
use super::progress::Heard;
use crate::config::Config;

pub(super) struct OverwritingCommitter {
    overwriter: Overwriter,
    /// What is replaced in any case: all of a table without partitions, or the partition that PARTITION names.
    fixed: Option<Location>,
    /// Of a partitioned table, each partition that has new files is replaced.
    is_partitioned: bool,
    partitions: Option<PartitionCommitter>,
    heard: Heard,
}

impl OverwritingCommitter {
    pub(super) fn new(
        config: &Arc<Config>,
        spec: &SinkSpec,
        context: &GlobalCommitterContext,
    ) -> Result<Self> {
        let commit = config.commit.clone();
        let fixed = config.partitioning.named(&spec.static_partition)?;
        Ok(OverwritingCommitter {
            overwriter: Overwriter::new(config.path.clone(), context),
            fixed: fixed.map(|directory| config.path.join(directory.trim_end_matches('/'))),
            is_partitioned: !config.partitioning.columns.is_empty(),
            partitions: commit.map(|commit| PartitionCommitter::new(commit, context.clock.clone())),
            heard: Heard::default(),
        })
    }

    /// Replaces files, when all writers have ended.
    fn overwrite(&mut self, files: &[&CommitRequest], handed_over: &[HandedOver]) -> Result<CommitOutcome> {
        let token = |handed_over: &HandedOver| match handed_over {
            HandedOver::Token(token) => Some(Location::try_from(token.clone())),
            HandedOver::Partition { .. } | HandedOver::Progress(_) => None,
        };
        let tokens: Vec<Location> = handed_over.iter().filter_map(token).collect::<Result<_>>()?;
        if tokens.is_empty() {
            // They are handed over with the first checkpoint, and committed together.
            return Ok(match files {
                [] => CommitOutcome::Committed,
                _ => CommitOutcome::Failed(
                    "the snapshot is of an INSERT INTO, or of an INSERT OVERWRITE that has ended: start the job without it"
                        .to_owned(),
                ),
            });
        }
        let mut directories: BTreeSet<Location> = self.fixed.iter().cloned().collect();
        if self.is_partitioned {
            for file in files {
                directories.insert(FinishedFile::directory(&file.committable)?);
            }
        }
        self.overwriter.commit(files, &tokens, &directories)
    }
}

impl Committer for OverwritingCommitter {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        if requests.iter().any(|request| FinishedFile::is_part(&request.committable)) {
            return Err(Error::state("the snapshot is of an INSERT INTO, and this job overwrites"));
        }
        let (files, others): (Vec<_>, Vec<_>) =
            requests.iter().partition(|request| FinishedFile::is_replacing(&request.committable));
        let handed_over =
            others.iter().map(|request| HandedOver::read(request)).collect::<Result<Vec<_>>>()?;
        self.heard.hear(others.iter().zip(&handed_over).filter_map(
            |(request, handed_over)| match handed_over {
                HandedOver::Progress(progress) => Some((request.checkpoint, progress)),
                HandedOver::Partition { .. } | HandedOver::Token(_) => None,
            },
        ));
        if !self.heard.ended {
            let mut handed_over = handed_over.into_iter();
            let answer = |request: &CommitRequest| {
                let is_file = FinishedFile::is_replacing(&request.committable);
                match if is_file { None } else { handed_over.next() } {
                    Some(HandedOver::Progress(_)) => CommitOutcome::Committed,
                    _ => CommitOutcome::Wait { after: None },
                }
            };
            return Ok(requests.iter().map(answer).collect());
        }
        let outcome = self.overwrite(&files, &handed_over)?;
        if !matches!(outcome, CommitOutcome::Committed | CommitOutcome::AlreadyCommitted) {
            // What is tried again is asked for checkpoint by checkpoint: it waits anew, until the last one says that all have
            // ended.
            self.heard = Heard::default();
            return Ok(vec![outcome; requests.len()]);
        }
        let is_token = |at: usize| matches!(handed_over.get(at), Some(HandedOver::Token(_)));
        let partitions: Vec<&CommitRequest> =
            others.iter().enumerate().filter(|(at, _)| !is_token(*at)).map(|(_, request)| *request).collect();
        let committed = match &mut self.partitions {
            Some(committer) => committer.commit(&partitions, &BTreeSet::new())?,
            None => vec![CommitOutcome::Committed; partitions.len()],
        };
        let (mut committed, mut at) = (committed.into_iter(), 0);
        let answer = |request: &CommitRequest| {
            if FinishedFile::is_replacing(&request.committable) {
                return Some(outcome.clone());
            }
            at += 1;
            if is_token(at - 1) { Some(outcome.clone()) } else { committed.next() }
        };
        let answers = requests.iter().map(answer).collect::<Option<_>>();
        answers.ok_or_else(|| Error::internal("a commit has no answer"))
    }
}
