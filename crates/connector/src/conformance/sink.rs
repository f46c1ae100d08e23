//! What a sink must hold.

use std::sync::Arc;

use flott_batch::Batch;
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, JobId, Result, SubtaskIndex};

use super::{broken, same_rows};
use crate::{Committable, Sink, SinkContext, SinkWriter};

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
/// - a commit that is done twice changes nothing, before and after a restart;
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
    let named: [(&str, Rule); 8] = [
        ("a checkpoint is committed", committed),
        ("a commit is done twice", committed_twice),
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
        if !two_phases && !matches!(when, "a checkpoint is committed" | "the end of the input") {
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
    pending: Vec<Committable>,
}

/// What is in a checkpoint.
#[derive(Clone)]
struct Snapshot {
    committables: Vec<Committable>,
    writers: Vec<String>,
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
        })
    }

    /// Opens the writers of an attempt, each with its share of the state.
    fn start(&mut self, parallelism: u32, states: Vec<String>) -> Result<()> {
        self.attempt += 1;
        self.clock.advance(1);
        self.sink = self.test.sink()?;
        self.writers.clear();
        for subtask in 0..parallelism {
            let mine = states.iter().enumerate().filter(|(at, _)| *at as u32 % parallelism == subtask);
            let context = SinkContext {
                job: JobId(7),
                attempt: self.attempt,
                subtask: SubtaskIndex(subtask),
                parallelism,
                is_restored: !states.is_empty(),
                clock: self.clock.clone(),
            };
            let states = mine.map(|(_, state)| state.clone()).collect();
            self.writers.push(self.sink.writer(context, states)?);
        }
        Ok(())
    }

    /// Fails, and starts again from a snapshot: what it holds is committed before a row is written.
    fn restart(&mut self, parallelism: u32, snapshot: &Snapshot) -> Result<()> {
        self.writers.clear();
        self.pending.clear();
        let sink = self.test.sink()?;
        if !snapshot.committables.is_empty() {
            sink.commit_restored(CheckpointId(self.checkpoint), &snapshot.committables)?;
        }
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
        self.checkpoint += 1;
        let mut states = Vec::new();
        for writer in &mut self.writers {
            writer.flush()?;
            self.pending.extend(writer.prepare_commit(CheckpointId(self.checkpoint), end)?);
            states.extend(writer.snapshot()?);
        }
        Ok(Snapshot { committables: self.pending.clone(), writers: states })
    }

    fn commit(&mut self) -> Result<()> {
        let committables = std::mem::take(&mut self.pending);
        if committables.is_empty() { Ok(()) } else { self.sink.commit(&committables) }
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

fn committed_twice(job: &mut Job<'_>) -> Result<()> {
    job.write(&[0])?;
    let snapshot = job.snapshot(false)?;
    job.commit()?;
    job.sink.commit(&snapshot.committables)?;
    job.expect(&[0], "committed twice")?;
    job.test.sink()?.commit(&snapshot.committables)?;
    job.expect(&[0], "committed by another instance")
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
