//! What a sink must hold.

use std::sync::Arc;

use flott_batch::Batch;
use flott_operator::MetricGroup;
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Error, JobId, Result, SubtaskIndex, Waker};

use super::{broken, same_rows};
use crate::{
    CommitOutcome, CommitRequest, Committable, CommitterContext, Payload, Prepared, Sink, SinkContext,
    SinkWriter,
};

/// A sink at a place of its own, where nothing has been written yet.
pub trait SinkUnderTest {
    /// Makes the sink, as each task does for itself.
    ///
    /// # Errors
    /// As the sink says.
    fn sink(&self) -> Result<Arc<dyn Sink>>;

    /// A batch of rows; those of different numbers differ.
    fn batch(&self, number: usize) -> Batch;

    /// The rows of that batch as texts, by which they are compared.
    fn rows(&self, number: usize) -> Vec<String>;

    /// What others can see.
    ///
    /// # Errors
    /// If it cannot be looked at.
    fn visible(&self) -> Result<Vec<String>>;
}

/// Holds a sink against the rules, each time at a fresh place:
///
/// - rows are visible once their checkpoint is committed; with two phases, not before;
/// - a commit that is done twice changes nothing, before and after a restart; there is an answer for each committable;
/// - of a commit that fails half-way, the half that was not done can be done later, and be in later checkpoints until then;
/// - checkpoints may overlap: rows are written, and the next one begins, while a writer is not done with what it hands over;
/// - a slow writer says when it is full, takes rows all the same, and loses none;
/// - after a failure at any point of a checkpoint, rows that are written again from the last complete one on are there once;
/// - committables of a checkpoint that did not complete are committed with the next one;
/// - writers may be restored as more or fewer;
/// - at the end, everything is handed over.
///
/// Of a sink without two phases only the first and last are expected, and no row to be missing.
///
/// # Errors
/// The rule that is broken, and when.
pub fn check_sink(fresh: &dyn Fn() -> Box<dyn SinkUnderTest>) -> Result<()> {
    let named: [(&str, Rule); 11] = [
        ("a checkpoint is committed", committed),
        ("a commit is done twice", committed_twice),
        ("a commit is done by halves", half_committed),
        ("checkpoints overlap", overlapping),
        ("rows come in spite of a full writer", full),
        ("failure before the commit", failed_before_commit),
        ("failure after the commit", failed_after_commit),
        ("failure of rows after the checkpoint", failed_with_rows_open),
        ("a checkpoint does not complete", aborted),
        ("writers become more and fewer", rescaled),
        ("the end of the input", ended),
    ];
    for (when, rule) in named {
        let test = fresh();
        let two_phases = test.sink()?.is_two_phase();
        if !two_phases
            && !matches!(
                when,
                "a checkpoint is committed" | "rows come in spite of a full writer" | "the end of the input"
            )
        {
            continue;
        }
        let mut job = Job::new(&*test, two_phases)?;
        job.start(1, Vec::new())?;
        rule(&mut job).map_err(|error| error.context(when))?;
    }
    Ok(())
}

type Rule = fn(&mut Job<'_>) -> Result<()>;

/// A job with a sink, as far as the sink can tell.
struct Job<'a> {
    test: &'a dyn SinkUnderTest,
    two_phases: bool,
    sink: Arc<dyn Sink>,
    writers: Vec<Box<dyn SinkWriter>>,
    attempt: u32,
    clock: Arc<ManualClock>,
    checkpoint: u64,
    /// Handed over and not committed.
    pending: Vec<CommitRequest>,
    /// What is handed over later.
    later: Vec<(CheckpointId, Prepared)>,
    restored: Option<CheckpointId>,
}

/// What is in a checkpoint.
#[derive(Clone)]
struct Snapshot {
    checkpoint: CheckpointId,
    committables: Vec<CommitRequest>,
    writers: Vec<Payload>,
}

impl<'a> Job<'a> {
    fn new(test: &'a dyn SinkUnderTest, two_phases: bool) -> Result<Self> {
        Ok(Job {
            test,
            two_phases,
            sink: test.sink()?,
            writers: Vec::new(),
            attempt: 0,
            clock: Arc::new(ManualClock::new(1_700_000_000_000)),
            checkpoint: 0,
            pending: Vec::new(),
            later: Vec::new(),
            restored: None,
        })
    }

    /// Opens the writers of an attempt, each with its share of the state.
    fn start(&mut self, parallelism: u32, states: Vec<Payload>) -> Result<()> {
        self.attempt += 1;
        self.clock.advance(1);
        self.sink = self.test.sink()?;
        self.writers.clear();
        self.later.clear();
        for subtask in 0..parallelism {
            let mine = states.iter().enumerate().filter(|(at, _)| *at as u32 % parallelism == subtask);
            let context = SinkContext {
                job: JobId(7),
                attempt: self.attempt,
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
        Ok(())
    }

    /// Fails, and starts again from a snapshot: what it holds is committed before a row is written.
    fn restart(&mut self, parallelism: u32, snapshot: &Snapshot) -> Result<()> {
        self.writers.clear();
        self.later.clear();
        self.pending.clear();
        self.restored = Some(snapshot.checkpoint);
        let restored = |request: &CommitRequest| CommitRequest { restored: true, ..request.clone() };
        self.commit_all(&snapshot.committables.iter().map(restored).collect::<Vec<_>>())?;
        self.start(parallelism, snapshot.writers.clone())
    }

    fn write(&mut self, numbers: &[usize]) -> Result<()> {
        let count = self.writers.len();
        for (at, number) in numbers.iter().enumerate() {
            self.writers[at % count].write(self.test.batch(*number))?;
        }
        Ok(())
    }

    /// A checkpoint up to its acknowledgement.
    fn snapshot(&mut self, end: bool) -> Result<Snapshot> {
        let writers = self.barrier(end)?;
        self.acknowledge(writers)
    }

    /// What happens while no rows are written.
    fn barrier(&mut self, end: bool) -> Result<Vec<Payload>> {
        self.checkpoint += 1;
        let checkpoint = CheckpointId(self.checkpoint);
        let mut states = Vec::new();
        for writer in &mut self.writers {
            writer.flush()?;
            self.later.push((checkpoint, writer.prepare_commit(checkpoint, end)?));
            states.extend(writer.snapshot(checkpoint)?);
        }
        Ok(states)
    }

    /// Waits for what is handed over for the checkpoint at hand and those before.
    fn acknowledge(&mut self, writers: Vec<Payload>) -> Result<Snapshot> {
        for (checkpoint, prepared) in self.later.drain(..) {
            self.pending
                .extend(prepared.wait()?.into_iter().map(|committable| request(checkpoint, committable)));
        }
        let checkpoint = CheckpointId(self.checkpoint);
        Ok(Snapshot { checkpoint, committables: self.pending.clone(), writers })
    }

    fn commit(&mut self) -> Result<()> {
        let requests = std::mem::take(&mut self.pending);
        self.commit_all(&requests)
    }

    /// Until nothing is to be tried again.
    fn commit_all(&self, requests: &[CommitRequest]) -> Result<()> {
        let mut left = requests.to_vec();
        for _ in 0..100 {
            if left.is_empty() {
                return Ok(());
            }
            let sink = self.test.sink()?;
            let outcomes = self.committer(&*sink)?.commit(&left)?;
            if outcomes.len() != left.len() {
                return Err(broken(format!("{} answers to {} committables", outcomes.len(), left.len())));
            }
            let mut again = Vec::new();
            for (request, outcome) in left.into_iter().zip(outcomes) {
                match outcome {
                    CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
                    CommitOutcome::Retry { .. } => again.push(request),
                    CommitOutcome::Failed(why) => return Err(broken(format!("{request:?} is lost: {why}"))),
                }
            }
            left = again;
            self.clock.advance(1_000);
        }
        Err(broken("a commit was tried a hundred times"))
    }

    fn committer(&self, sink: &dyn Sink) -> Result<Box<dyn crate::Committer>> {
        sink.committer(CommitterContext {
            job: JobId(7),
            subtask: SubtaskIndex(0),
            metrics: MetricGroup::default(),
            clock: self.clock.clone(),
        })
    }

    fn expect(&self, numbers: &[usize], when: &str) -> Result<()> {
        let expected = numbers.iter().flat_map(|number| self.test.rows(*number)).collect();
        same_rows(self.test.visible()?, expected, when)
    }
}

fn committed(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0, 1])?;
    if job.two_phases {
        job.expect(&[], "written, before any checkpoint")?;
    }
    job.snapshot(false)?;
    if job.two_phases {
        job.expect(&[], "before the commit")?;
    }
    job.commit()?;
    job.expect(&[0, 1], "after the commit")?;
    job.write(&[2])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2], "after the second commit")
}

fn request(checkpoint: CheckpointId, committable: Committable) -> CommitRequest {
    CommitRequest { checkpoint, committable, restored: false, attempts: 0 }
}

/// Commits as a task does, without patience: what is to be tried again is an error.
///
/// # Errors
/// As the committer says.
pub fn commit(sink: &dyn Sink, committables: &[Committable]) -> Result<()> {
    let requests: Vec<_> = committables.iter().cloned().map(|one| request(CheckpointId(1), one)).collect();
    commit_once(sink, &requests)
}

/// As [`commit`], of what the checkpoint held from which the job is restored.
///
/// # Errors
/// As the committer says.
pub fn commit_restored(
    sink: &dyn Sink,
    checkpoint: CheckpointId,
    committables: &[Committable],
) -> Result<()> {
    let restored = |one| CommitRequest { restored: true, ..request(checkpoint, one) };
    let requests: Vec<_> = committables.iter().cloned().map(restored).collect();
    commit_once(sink, &requests)
}

fn commit_once(sink: &dyn Sink, requests: &[CommitRequest]) -> Result<()> {
    let context = CommitterContext {
        job: JobId(7),
        subtask: SubtaskIndex(0),
        metrics: MetricGroup::default(),
        clock: Arc::new(ManualClock::new(1_700_000_000_000)),
    };
    let mut failed = None;
    for outcome in sink.committer(context)?.commit(requests)? {
        match outcome {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted => {}
            CommitOutcome::Retry { reason, .. } | CommitOutcome::Failed(reason) => {
                failed.get_or_insert(Error::external(reason));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn committed_twice(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    let snapshot = job.snapshot(false)?;
    let sink = job.sink.clone();
    let mut committer = job.committer(&*sink)?;
    committer.commit(&snapshot.committables)?;
    let again = committer.commit(&snapshot.committables)?;
    if let Some(wrong) = again.iter().find(|outcome| matches!(outcome, CommitOutcome::Failed(_))) {
        return Err(broken(format!("a second time is answered with {wrong:?}")));
    }
    job.expect(&[0], "committed twice")?;
    job.commit()?;
    job.expect(&[0], "committed by another instance")
}

/// One committable is committed, the others with the next checkpoint, or after a restart from it.
fn half_committed(job: &mut Job<'_>) -> Result<()> {
    job.start(2, Vec::new())?;
    job.write(&[0, 1])?;
    job.snapshot(false)?;
    let first = job.pending.first().cloned();
    job.commit_all(first.as_slice())?;
    job.write(&[2, 3])?;
    let second = job.snapshot(false)?;
    job.commit_all(first.as_slice())?;
    job.restart(1, &second)?;
    job.expect(&[0, 1, 2, 3], "the other half after a restart")?;
    job.write(&[4])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3, 4], "and with the next checkpoint")
}

fn overlapping(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    job.barrier(false)?;
    job.write(&[1])?;
    let writers = job.barrier(false)?;
    job.write(&[2])?;
    let second = job.acknowledge(writers)?;
    job.expect(&[], "two checkpoints under way")?;
    let third = job.barrier(false)?;
    job.commit()?;
    job.expect(&[0, 1], "the second is complete")?;
    job.acknowledge(third)?;
    job.restart(2, &second)?;
    job.expect(&[0, 1], "restored from the second")?;
    job.write(&[2, 3])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3], "written again")
}

fn full(job: &mut Job<'_>) -> Result<()> {
    for number in 0..40 {
        job.write(&[number])?;
    }
    job.snapshot(false)?;
    job.commit()?;
    let all: Vec<usize> = (0..40).collect();
    job.expect(&all, "forty batches, whether or not there was room")?;
    let mut patience = 1_000;
    while job.writers.iter().any(|writer| writer.is_full()) {
        patience -= 1;
        if patience == 0 {
            return Err(broken("a writer is full although everything is committed"));
        }
        std::thread::park_timeout(std::time::Duration::from_millis(1));
        job.writers.iter_mut().try_for_each(|writer| writer.woken())?;
    }
    Ok(())
}

fn failed_before_commit(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0, 1])?;
    let snapshot = job.snapshot(false)?;
    job.restart(1, &snapshot)?;
    job.expect(&[0, 1], "restored")?;
    job.write(&[2])?;
    let second = job.snapshot(false)?;
    job.restart(1, &second)?;
    job.restart(1, &second)?;
    job.expect(&[0, 1, 2], "restored twice from the same checkpoint")
}

fn failed_after_commit(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    let snapshot = job.snapshot(false)?;
    job.commit()?;
    job.restart(1, &snapshot)?;
    job.expect(&[0], "restored")?;
    job.write(&[1])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1], "after the next commit")
}

fn failed_with_rows_open(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    let first = job.snapshot(false)?;
    job.commit()?;
    for _ in 0..2 {
        job.write(&[1, 2])?;
        // Also a checkpoint that was not completed.
        job.snapshot(false)?;
        job.write(&[3])?;
        job.restart(1, &first)?;
        job.expect(&[0], "rows after the checkpoint are gone")?;
    }
    job.write(&[1, 2, 3])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3], "written again and committed")
}

fn aborted(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    job.snapshot(false)?;
    job.write(&[1])?;
    let second = job.snapshot(false)?;
    job.expect(&[], "neither checkpoint has completed")?;
    job.restart(1, &second)?;
    job.expect(&[0, 1], "restored from the second")
}

fn rescaled(job: &mut Job<'_>) -> Result<()> {
    job.start(2, Vec::new())?;
    job.write(&[0, 1])?;
    let two = job.snapshot(false)?;
    job.restart(1, &two)?;
    job.write(&[2])?;
    let one = job.snapshot(false)?;
    job.write(&[9])?;
    job.restart(3, &one)?;
    job.write(&[3, 4, 5])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3, 4, 5], "two writers, one, three")
}

fn ended(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0, 1])?;
    let last = job.snapshot(true)?;
    job.commit()?;
    job.expect(&[0, 1], "at the end")?;
    let more = job.snapshot(true)?;
    if more.committables != Vec::new() {
        return Err(broken("a writer hands over something after the end"));
    }
    if job.two_phases {
        job.restart(1, &last)?;
        job.expect(&[0, 1], "restored after the end")?;
    }
    Ok(())
}
