//! The rules for sources.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::Batch;
use flott_types::Result;
use flott_types::clock::ManualClock;

use super::drive::Run;
use super::{broken, same_rows};
use crate::Source;

/// A source, and what is known of it.
pub trait SourceUnderTest {
    /// Makes the source, as the JobManager and each task do for themselves.
    ///
    /// # Errors
    /// As the source says.
    fn source(&self) -> Result<Arc<dyn Source>>;

    /// The rows of a batch as texts, by which they are compared.
    ///
    /// # Errors
    /// If the batch is of another kind.
    fn texts(&self, batch: Batch) -> Result<Vec<String>>;

    /// All rows, in any order.
    fn expected(&self) -> Vec<String>;

    /// The rows at which a batch is large enough. Small, so that there are many moments between batches.
    fn batch_size(&self) -> usize {
        3
    }

    /// How many rows one poll may emit: a batch's worth.
    fn most_rows_per_poll(&self) -> usize {
        self.batch_size()
    }

    /// The source goes on for ever, after the rows that are expected.
    fn is_endless(&self) -> bool {
        false
    }

    /// How long it may emit nothing before it counts as stuck, besides ten thousand polls: what reads from
    /// another process waits for that.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// What is read depends on when it is read, as lines of a connection do; then nothing is said of
    /// restarts.
    fn is_replayable(&self) -> bool {
        true
    }

    /// Another run begins from the start: what is outside is as it was, should readers have acknowledged
    /// anything.
    fn begin(&self) {}

    /// Lets another part of the source appear, as a new file or partition, and answers its rows; `None` of a
    /// source that stays as it is. What appeared is there in each run after, and in
    /// [`SourceUnderTest::expected`].
    ///
    /// # Errors
    /// If it cannot be made.
    fn grow(&self) -> Result<Option<Vec<String>>> {
        Ok(None)
    }
}

/// Holds a source against the rules:
///
/// - at any parallelism, each row is read once;
/// - a snapshot between any two polls, restored at any parallelism, loses nothing and doubles nothing,
///   whatever was read after it;
/// - splits have the same names in every run; a reader speaks of splits that it has, and of no others;
/// - a snapshot changes nothing; of several that are in progress any one may be the one that is restored,
///   whichever others were complete or given up before;
/// - one reader may fail and begin again while the others go on;
/// - what appears while readers are at work is read, once;
/// - a poll does a batch's worth of work, so that barriers get their turn.
///
/// # Errors
/// The rule that is broken, and when.
pub fn check_source(test: &dyn SourceUnderTest) -> Result<()> {
    for parallelism in [1, 2, 4] {
        let when = format!("read by {parallelism} readers");
        let clock = Arc::new(ManualClock::new(START));
        let mut run = Run::new(test, parallelism, &clock, None)?;
        run.finish().map_err(|error| error.context(&when))?;
        same_rows(run.rows, test.expected(), &when)?;
    }
    if !test.is_replayable() {
        return Ok(());
    }
    stable_names(test)?;
    for (lost, parallelism) in [(0, 1), (1, 2), (3, 3)] {
        let when =
            format!("several checkpoints under way, {parallelism} readers, {lost} polls after the last");
        concurrent(test, parallelism, lost, &when).map_err(|error| error.context(&when))?;
    }
    for failing in 0..2 {
        let when = format!("reader {failing} fails alone");
        alone(test, failing, &when).map_err(|error| error.context(&when))?;
    }
    for parallelism in [1, 2, 3] {
        let when = format!("a part appears before {parallelism} readers");
        growing(test, parallelism, &when).map_err(|error| error.context(&when))?;
    }
    for (from, to) in [(1, 1), (1, 3), (2, 1), (3, 2), (4, 4)] {
        for every in [1, 2, 3, 5, 8] {
            for lost in [0, 1, 4] {
                let when = format!(
                    "{from} readers, restored as {to} and back every {every} polls, {lost} polls after the snapshot"
                );
                with_restarts(test, [from, to], every, lost, &when).map_err(|error| {
                    if error.message().starts_with(&when) { error } else { error.context(&when) }
                })?;
            }
        }
    }
    Ok(())
}

/// Some time in 2023.
const START: i64 = 1_700_000_000_000;

fn stable_names(test: &dyn SourceUnderTest) -> Result<()> {
    let names = || -> Result<BTreeSet<String>> {
        let clock = Arc::new(ManualClock::new(START));
        let mut run = Run::new(test, 2, &clock, None)?;
        run.finish()?;
        Ok(run.names)
    };
    let (first, second) = (names()?, names()?);
    match first == second {
        true => Ok(()),
        false => Err(broken(format!("splits are called {first:?} in one run, {second:?} in the next"))),
    }
}

/// Takes three snapshots with rows between; the first completes late, the last is given up; and the job
/// fails.
fn concurrent(test: &dyn SourceUnderTest, parallelism: u32, lost: usize, when: &str) -> Result<()> {
    let clock = Arc::new(ManualClock::new(START));
    let mut run = Run::new(test, parallelism, &clock, None)?;
    let mut rows = Vec::new();
    for _ in 0..40 {
        let polls = |run: &mut Run<'_>, count: usize| -> Result<()> {
            let goal = run.polls + count;
            while run.polls < goal && run.step()? {}
            Ok(())
        };
        polls(&mut run, 2)?;
        let first = run.snapshot()?;
        rows.append(&mut run.rows);
        polls(&mut run, 2)?;
        let second = run.snapshot()?;
        polls(&mut run, 1)?;
        let third = run.snapshot()?;
        run.aborted(second.checkpoint)?;
        run.complete(first.checkpoint)?;
        run.aborted(third.checkpoint)?;
        polls(&mut run, lost)?;
        run = Run::new(test, parallelism, &clock, Some(&first))?;
        if rows.len() >= test.expected().len() {
            break;
        }
    }
    let left = test.expected().len().saturating_sub(rows.len());
    finish_from(&mut run, left)?;
    rows.append(&mut run.rows);
    same_rows(rows, test.expected(), when)
}

/// One of two readers fails again and again.
fn alone(test: &dyn SourceUnderTest, failing: usize, when: &str) -> Result<()> {
    let clock = Arc::new(ManualClock::new(START));
    let mut run = Run::new(test, 2, &clock, None)?;
    let mut rows = Vec::new();
    for round in 0..10 {
        let snapshot = run.snapshot()?;
        run.complete(snapshot.checkpoint)?;
        // Once it has something that is in nobody's snapshot.
        let least = if round == 0 { 200 } else { 0 };
        for poll in 0..least.max(1 + round % 4) {
            // Its rows are taken back with it, those of the other are not.
            run.read_by(failing)?;
            rows.extend(run.read_by(1 - failing)?);
            if poll < least && run.has_splits(failing) {
                break;
            }
        }
        run.fail_alone(failing, &snapshot)?;
        rows.extend(run.read_by(failing)?);
    }
    let left = test.expected().len().saturating_sub(rows.len());
    finish_from(&mut run, left)?;
    rows.append(&mut run.rows);
    same_rows(rows, test.expected(), when)
}

/// A part appears when everything else is read, and another one when there are readers of a restored run.
fn growing(test: &dyn SourceUnderTest, parallelism: u32, when: &str) -> Result<()> {
    let clock = Arc::new(ManualClock::new(START));
    let mut run = Run::new(test, parallelism, &clock, None)?;
    run.finish()?;
    let expected = test.expected();
    same_rows(run.rows.clone(), expected, when)?;
    if test.grow()?.is_none() {
        return Ok(());
    }
    run.finish()?;
    same_rows(run.rows.clone(), test.expected(), &format!("{when}, and was looked for"))?;
    let snapshot = run.snapshot()?;
    let before = std::mem::take(&mut run.rows);
    let mut run = Run::new(test, parallelism, &clock, Some(&snapshot))?;
    test.grow()?;
    let left = test.expected().len().saturating_sub(before.len());
    finish_from(&mut run, left)?;
    let rows = before.into_iter().chain(run.rows).collect();
    same_rows(rows, test.expected(), &format!("{when}, after a restart"))
}

/// Reads to the end; takes a snapshot after every so many polls, reads on for a few that are then lost, and
/// continues from the snapshot with the other number of readers.
fn with_restarts(
    test: &dyn SourceUnderTest,
    parallelisms: [u32; 2],
    every: usize,
    lost: usize,
    when: &str,
) -> Result<()> {
    let clock = Arc::new(ManualClock::new(START));
    let mut run = Run::new(test, parallelisms[0], &clock, None)?;
    let mut rows = Vec::new();
    // Enough for each poll to be the one before a snapshot, and for a source that waits to get on.
    let restarts = 40 + 2 * test.expected().len() / test.batch_size().max(1);
    for restart in 1..=restarts {
        let goal = run.polls + every;
        while run.polls < goal && run.step()? {}
        let snapshot = run.snapshot()?;
        rows.append(&mut run.rows);
        if restart % 2 == 0 {
            run.complete(snapshot.checkpoint)?;
        }
        for _ in 0..lost {
            run.step()?;
        }
        run = Run::new(test, parallelisms[restart % 2], &clock, Some(&snapshot))?;
        if rows.len() >= test.expected().len() && restart > restarts / 2 {
            break;
        }
    }
    let left = test.expected().len().saturating_sub(rows.len());
    finish_from(&mut run, left)?;
    rows.append(&mut run.rows);
    same_rows(rows, test.expected(), when)
}

fn finish_from(run: &mut Run<'_>, left: usize) -> Result<()> {
    let mut over = 0;
    while run.step()? && over <= 100 {
        over = if run.rows.len() >= left { over + 1 } else { 0 };
    }
    Ok(())
}
