//! A job with a sink, as far as the sink can tell.

use std::sync::Arc;

use flott_checkpoint::commit::GlobalCommits;
use flott_operator::MetricGroup;
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Clock, JobId, Result, SubtaskIndex, Waker, Watermark};

use super::SinkUnderTest;
use crate::conformance::{broken, no_other_rows, same_rows};
use crate::{
    CommitOutcome, CommitRequest, CommitRetries, Committable, CommittedBy, Committer, CommitterContext,
    GlobalCommitterContext, Payload, Prepared, Sink, SinkContext, SinkWriter,
};

/// So often is something tried that is answered with "later".
const PATIENCE: usize = 100;

pub(super) struct Job<'a> {
    pub(super) test: &'a dyn SinkUnderTest,
    pub(super) two_phases: bool,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) writers: Vec<Box<dyn SinkWriter>>,
    attempt: u32,
    clock: Arc<ManualClock>,
    checkpoint: u64,
    /// Handed over and not committed, by subtasks.
    pub(super) pending: Vec<CommitRequest>,
    /// Handed over to be committed once, of checkpoints that are not told complete.
    handed_over: Vec<CommitRequest>,
    pub(super) global: GlobalCommits<Committable>,
    /// What is handed over later.
    later: Vec<(CheckpointId, Prepared)>,
    restored: Option<CheckpointId>,
    /// The rows that were last expected.
    expected: Vec<String>,
}

/// What is in a checkpoint.
#[derive(Clone)]
pub(super) struct Snapshot {
    checkpoint: CheckpointId,
    pub(super) committables: Vec<CommitRequest>,
    global: Vec<CommitRequest>,
    writers: Vec<Payload>,
}

impl<'a> Job<'a> {
    pub(super) fn new(test: &'a dyn SinkUnderTest, two_phases: bool) -> Result<Self> {
        Ok(Job {
            test,
            two_phases,
            sink: test.sink()?,
            writers: Vec::new(),
            attempt: 0,
            clock: Arc::new(ManualClock::new(1_700_000_000_000)),
            checkpoint: 0,
            pending: Vec::new(),
            handed_over: Vec::new(),
            global: GlobalCommits::new(CommitRetries::default(), 1),
            later: Vec::new(),
            restored: None,
            expected: Vec::new(),
        })
    }

    /// Opens the writers of an attempt, each with its share of the state.
    pub(super) fn start(&mut self, parallelism: u32, states: Vec<Payload>) -> Result<()> {
        self.begin(parallelism, states, Vec::new())
    }

    fn begin(&mut self, parallelism: u32, states: Vec<Payload>, global: Vec<CommitRequest>) -> Result<()> {
        self.attempt += 1;
        self.clock.advance(1);
        self.sink = self.test.sink()?;
        self.writers.clear();
        self.later.clear();
        self.handed_over.clear();
        self.global = GlobalCommits::new(CommitRetries::default(), parallelism);
        self.global.restart(self.restored, global);
        for subtask in 0..parallelism {
            let mine = states.iter().enumerate().filter(|(at, _)| *at as u32 % parallelism == subtask);
            let context = SinkContext {
                job: JobId(7),
                attempt: self.attempt,
                succession: None,
                subtask: SubtaskIndex(subtask),
                parallelism,
                restored: self.restored,
                schema: None,
                metrics: MetricGroup::default(),
                clock: self.clock.clone(),
                waker: Waker::default(),
            };
            let states = mine.map(|(_, state)| state.clone()).collect();
            self.writers.push(self.sink.writer(context, states)?);
        }
        self.global.running();
        self.commit_global()
    }

    /// Fails, and starts again from a snapshot: what it holds for subtasks is committed before a row is
    /// written, and what it holds for all together when all run.
    pub(super) fn restart(&mut self, parallelism: u32, snapshot: &Snapshot) -> Result<()> {
        self.writers.clear();
        self.later.clear();
        self.pending.clear();
        self.restored = Some(snapshot.checkpoint);
        let restored = |request: &CommitRequest| CommitRequest { restored: true, ..request.clone() };
        self.commit_all(&snapshot.committables.iter().map(restored).collect::<Vec<_>>())?;
        self.begin(parallelism, snapshot.writers.clone(), snapshot.global.clone())
    }

    pub(super) fn write(&mut self, numbers: &[usize]) -> Result<()> {
        let count = self.writers.len();
        for (at, number) in numbers.iter().enumerate() {
            self.writers[at % count].write(self.test.batch(*number))?;
        }
        Ok(())
    }

    /// A checkpoint up to its acknowledgement.
    pub(super) fn snapshot(&mut self, end: bool) -> Result<Snapshot> {
        let writers = self.barrier(end)?;
        self.acknowledge(writers)
    }

    /// What happens while no rows are written.
    pub(super) fn barrier(&mut self, end: bool) -> Result<Vec<Payload>> {
        self.checkpoint += 1;
        let checkpoint = CheckpointId(self.checkpoint);
        let mut states = Vec::new();
        for writer in &mut self.writers {
            if end {
                writer.watermark(Watermark::MAX)?;
            }
            writer.flush()?;
            self.later.push((checkpoint, writer.prepare_commit(checkpoint, end)?));
            states.extend(writer.snapshot(checkpoint)?);
        }
        Ok(states)
    }

    /// Waits for what is handed over for the checkpoint at hand and those before.
    pub(super) fn acknowledge(&mut self, writers: Vec<Payload>) -> Result<Snapshot> {
        for (checkpoint, prepared) in self.later.drain(..) {
            for committable in prepared.wait()? {
                let to = match committable.by {
                    CommittedBy::Subtask => &mut self.pending,
                    CommittedBy::Job if self.sink.commits_globally() => &mut self.handed_over,
                    CommittedBy::Job => return Err(broken("a sink says that it commits nothing globally")),
                };
                to.push(CommitRequest::new(checkpoint, committable));
            }
        }
        let checkpoint = CheckpointId(self.checkpoint);
        let global = self.global.acknowledged(checkpoint, self.handed_over.iter().cloned());
        Ok(Snapshot { checkpoint, committables: self.pending.clone(), global, writers })
    }

    /// The last checkpoint is complete: subtasks commit their own, then what is committed once is.
    pub(super) fn commit(&mut self) -> Result<()> {
        self.commit_own()?;
        self.commit_global()
    }

    /// The last checkpoint is complete, and subtasks commit their own.
    pub(super) fn commit_own(&mut self) -> Result<()> {
        let requests = std::mem::take(&mut self.pending);
        self.commit_all(&requests)?;
        let last = CheckpointId(self.checkpoint);
        self.handed_over.clear();
        self.global.complete(last);
        (0..self.writers.len() as u32).for_each(|subtask| self.global.confirmed(SubtaskIndex(subtask), last));
        Ok(())
    }

    /// Until nothing is due, but for what the committer lets wait.
    pub(super) fn commit_global(&mut self) -> Result<()> {
        for _ in 0..PATIENCE {
            let requests = self.global.take_due(self.clock.now());
            if requests.is_empty() && self.global.next_time().is_none() {
                return Ok(());
            }
            if !requests.is_empty() {
                let outcomes = self.global_committer()?.commit(&requests)?;
                answers(&requests, &outcomes)?;
                self.global.answered(Ok(outcomes), self.clock.now())?;
            }
            self.clock.advance(1_000);
        }
        Err(broken("a global commit was tried a hundred times"))
    }

    /// Does half of what is due, and fails: nobody knows of it.
    pub(super) fn half_commit_global(&mut self) -> Result<()> {
        let requests = self.global.take_due(self.clock.now());
        let half = requests.get(..requests.len().div_ceil(2)).unwrap_or_default();
        self.global_committer()?.commit(half)?;
        let lost = flott_types::Error::external("the answer was lost");
        self.global.answered(Err(lost), self.clock.now()).map(drop)
    }

    /// Until nothing is to be tried again.
    pub(super) fn commit_all(&self, requests: &[CommitRequest]) -> Result<()> {
        let mut left = requests.to_vec();
        for _ in 0..PATIENCE {
            if left.is_empty() {
                return Ok(());
            }
            let sink = self.test.sink()?;
            let outcomes = self.committer(&*sink)?.commit(&left)?;
            answers(&left, &outcomes)?;
            let mut again = Vec::new();
            for (request, outcome) in left.into_iter().zip(outcomes) {
                match outcome {
                    CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
                    CommitOutcome::Retry { .. } => again.push(request),
                    CommitOutcome::Wait { .. } => return Err(broken("the committer of a subtask lets wait")),
                    CommitOutcome::Failed(why) => return Err(broken(format!("{request:?} is lost: {why}"))),
                }
            }
            left = again;
            self.clock.advance(1_000);
        }
        Err(broken("a commit was tried a hundred times"))
    }

    pub(super) fn committer(&self, sink: &dyn Sink) -> Result<Box<dyn Committer>> {
        sink.committer(committer_context(self.clock.clone()))
    }

    pub(super) fn global_committer(&self) -> Result<Box<dyn Committer>> {
        let parallelism = self.writers.len() as u32;
        self.test.sink()?.global_committer(global_context(parallelism, self.clock.clone()))
    }

    pub(super) fn expect(&mut self, numbers: &[usize], when: &str) -> Result<()> {
        self.expected = numbers.iter().flat_map(|number| self.test.rows(*number)).collect();
        match self.test.lets_wait() {
            true => no_other_rows(&self.test.visible()?, &self.expected, when),
            false => same_rows(self.test.visible()?, self.expected.clone(), when),
        }
    }

    /// The input ends: what waited is visible.
    pub(super) fn end(&mut self) -> Result<()> {
        if !self.test.lets_wait() {
            return Ok(());
        }
        self.snapshot(true)?;
        self.commit()?;
        same_rows(self.test.visible()?, self.expected.clone(), "what waited, at the end")
    }
}

pub(super) fn committer_context(clock: Arc<dyn Clock>) -> CommitterContext {
    CommitterContext { job: JobId(7), subtask: SubtaskIndex(0), metrics: MetricGroup::default(), clock }
}

pub(super) fn global_context(parallelism: u32, clock: Arc<dyn Clock>) -> GlobalCommitterContext {
    GlobalCommitterContext { job: JobId(7), succession: None, parallelism, clock }
}

fn answers(requests: &[CommitRequest], outcomes: &[CommitOutcome]) -> Result<()> {
    match outcomes.len() == requests.len() {
        true => Ok(()),
        false => Err(broken(format!("{} answers to {} committables", outcomes.len(), requests.len()))),
    }
}
