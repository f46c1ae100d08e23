//! The rules for sinks.

mod job;

use std::sync::Arc;

use flott_batch::Batch;
use flott_types::clock::ManualClock;
use flott_types::{CheckpointId, Error, Result};

use super::broken;
use crate::{CommitOutcome, CommitRequest, Committable, CommittedBy, Sink};
use job::{Job, Snapshot, committer_context, global_context};

/// A sink with its own, empty target.
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

    /// Whether writers let rows wait for those of later checkpoints. Then rows may be visible later than others
    /// would be, and all must be at the end of the input.
    fn lets_wait(&self) -> bool {
        false
    }
}

/// Holds a sink against the rules, each time at a fresh place:
///
/// - rows are visible once their checkpoint is committed; with two phases, not before;
/// - a commit that is done twice changes nothing, before and after a restart; there is an answer for each
///   committable;
/// - of a commit that fails half-way, the half that was not done can be done later, and be in later
///   checkpoints until then;
/// - checkpoints may overlap: rows are written, and the next one begins, while a writer is not done with what
///   it hands over;
/// - a slow writer reports when it is full, accepts rows nevertheless, and loses none;
/// - after a failure at any point of a checkpoint, rows that are written again from the last complete one on
///   are there once;
/// - committables of a checkpoint that did not complete are committed with the next one;
/// - writers may be restored as more or fewer;
/// - at the end, everything is handed over;
/// - of what is committed once for the job the same: a commit that fails half-way, is done again by another
///   committer, is in checkpoints until then, and is done by a job of another parallelism. At the end nothing
///   waits.
///
/// Of a sink without two phases only the first and last are expected, and no row to be missing.
///
/// # Errors
/// The rule that is broken, and when.
pub fn check_sink(fresh: &dyn Fn() -> Box<dyn SinkUnderTest>) -> Result<()> {
    let named: [(&str, Rule); 13] = [
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
        ("a global commit fails half-way", half_committed_globally),
        ("a global commit fails half-way before a restart", half_committed_and_rescaled),
        ("the end of the input", ended),
    ];
    for (when, rule) in named {
        let test = fresh();
        let (two_phases, globally) = (test.sink()?.is_two_phase(), test.sink()?.commits_globally());
        if globally && !two_phases {
            return Err(broken("what is committed for the whole job is a second phase too"));
        }
        if !two_phases
            && !matches!(
                when,
                "a checkpoint is committed" | "rows come in spite of a full writer" | "the end of the input"
            )
        {
            continue;
        }
        if !globally && when.starts_with("a global commit") {
            continue;
        }
        let mut job = Job::new(&*test, two_phases)?;
        job.start(1, Vec::new())?;
        rule(&mut job).and_then(|()| job.end()).map_err(|error| error.context(when))?;
    }
    Ok(())
}

type Rule = fn(&mut Job<'_>) -> Result<()>;

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

/// Commits as a task does, and then what the job commits, without patience: what is to be tried again is an
/// error.
///
/// # Errors
/// As the committers say.
pub fn commit(sink: &dyn Sink, committables: &[Committable]) -> Result<()> {
    let request = |one: &Committable| CommitRequest::new(CheckpointId(1), one.clone());
    commit_once(sink, &committables.iter().map(request).collect::<Vec<_>>())
}

/// As [`commit`], of what the checkpoint held from which the job is restored.
///
/// # Errors
/// As the committers say.
pub fn commit_restored(
    sink: &dyn Sink,
    checkpoint: CheckpointId,
    committables: &[Committable],
) -> Result<()> {
    let restored =
        |one: &Committable| CommitRequest { restored: true, ..CommitRequest::new(checkpoint, one.clone()) };
    commit_once(sink, &committables.iter().map(restored).collect::<Vec<_>>())
}

fn commit_once(sink: &dyn Sink, requests: &[CommitRequest]) -> Result<()> {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let of = |by| move |request: &&CommitRequest| request.committable.by == by;
    let own: Vec<_> = requests.iter().filter(of(CommittedBy::Subtask)).cloned().collect();
    let global: Vec<_> = requests.iter().filter(of(CommittedBy::Job)).cloned().collect();
    let mut outcomes = sink.committer(committer_context(clock.clone()))?.commit(&own)?;
    if !global.is_empty() {
        outcomes.extend(sink.global_committer(global_context(1, clock))?.commit(&global)?);
    }
    let mut failed = None;
    for outcome in outcomes {
        match outcome {
            CommitOutcome::Committed | CommitOutcome::AlreadyCommitted | CommitOutcome::Wait { .. } => {}
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
    if !snapshot.committables.is_empty() {
        let mut committer = job.committer(&*sink)?;
        committer.commit(&snapshot.committables)?;
        twice(committer.commit(&snapshot.committables)?)?;
    }
    job.commit_own()?;
    let due = job.global.take_due(i64::MAX);
    if !due.is_empty() {
        let mut committer = job.global_committer()?;
        committer.commit(&due)?;
        twice(committer.commit(&due)?)?;
        job.global.answered(Err(Error::external("once more")), 0)?;
    }
    job.expect(&[0], "committed twice")?;
    job.commit()?;
    job.expect(&[0], "committed by another instance")
}

fn twice(outcomes: Vec<CommitOutcome>) -> Result<()> {
    let failed = |outcome: &&CommitOutcome| matches!(outcome, CommitOutcome::Failed(_));
    match outcomes.iter().find(failed) {
        Some(wrong) => Err(broken(format!("a second time is answered with {wrong:?}"))),
        None => Ok(()),
    }
}

/// One committable is committed, the others with the next checkpoint, or after a restart from it.
fn half_committed(job: &mut Job<'_>) -> Result<()> {
    job.start(2, Vec::new())?;
    job.write(&[0, 1])?;
    job.snapshot(false)?;
    let first = job.pending.first().cloned();
    if first.is_none() && !job.test.lets_wait() {
        // Everything is committed globally.
        return Ok(());
    }
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
    if !more.committables.is_empty() {
        return Err(broken("a writer hands over something after the end"));
    }
    job.commit()?;
    if job.global.waiting() > 0 {
        return Err(broken("the global committer lets something wait after the end"));
    }
    if job.two_phases {
        job.restart(1, &last)?;
        job.expect(&[0, 1], "restored after the end")?;
    }
    Ok(())
}

/// Of what is committed once half is done and nobody knows; all of it is done again with the next checkpoint.
fn half_committed_globally(job: &mut Job<'_>) -> Result<()> {
    half_way(job)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3], "the other half, with the next checkpoint")
}

/// Or after a restart, by a job of another parallelism.
fn half_committed_and_rescaled(job: &mut Job<'_>) -> Result<()> {
    let second = half_way(job)?;
    for parallelism in [3, 1] {
        job.restart(parallelism, &second)?;
        job.expect(&[0, 1, 2, 3], "the other half, after a restart")?;
    }
    job.write(&[4])?;
    job.snapshot(false)?;
    job.commit()?;
    job.expect(&[0, 1, 2, 3, 4], "and with the next checkpoint")
}

fn half_way(job: &mut Job<'_>) -> Result<Snapshot> {
    job.start(2, Vec::new())?;
    job.write(&[0, 1])?;
    job.snapshot(false)?;
    job.commit_own()?;
    job.half_commit_global()?;
    job.write(&[2, 3])?;
    job.snapshot(false)
}
