//! The asynchronous part of a task's snapshots: a second thread of the task that stores them in order and
//! acknowledges.
//!
//! Order matters, because a snapshot of changes builds on the one before it.
//!
//! So there is one queue, in the order in which the task took them, also for a snapshot whose barrier has
//! overtaken rows that are still being kept: those behind it wait for it. One that is lost (it is aborted while
//! it waits, or cannot be stored) takes the incremental snapshots that build on it along, up to the next full
//! one. If there is none, the next one must be full, and one that is not, because it was taken meanwhile, is
//! not accepted.
//!
//! The queue is bounded by the coordinator's concurrent checkpoints. A store that hangs for an hour costs the
//! one hand-over that hangs, and one that waits.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{StateFile, SubtaskRestore, TaskSnapshot};
use flott_state::RestoredState;
use flott_types::panics::guard;
use flott_types::{CheckpointId, Clock, Error, Result};
use parking_lot::{Condvar, Mutex};

use crate::chain::{Later, OperatorState};
use crate::in_flight::Overtaken;
use crate::{SnapshotMetrics, TaskDeployment, TaskReport, Thread, Threads};

/// How long a task that ends waits for what it writes.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Where snapshots go and come from.
pub trait SnapshotStorage: Send + Sync {
    /// The writer of a task; it knows what the task was restored from.
    ///
    /// # Errors
    /// If the storage cannot be reached.
    fn writer(&self, deployment: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>>;

    /// Reads what one operator of one subtask starts from.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    fn restore(&self, deployment: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState>;

    /// Reads a file of what was under way to a task.
    ///
    /// # Errors
    /// If it is missing or damaged.
    fn in_flight(&self, deployment: &TaskDeployment, file: &StateFile) -> Result<Vec<u8>>;
}

/// What was stored.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Stored {
    /// For the manifest.
    pub snapshot: TaskSnapshot,
    /// How many bytes were written.
    pub size: u64,
    /// How many bytes all that it names has.
    pub full_size: u64,
    /// The next snapshot had better be full: what is stored has outgrown what it is worth.
    pub outgrown: bool,
}

/// Stores the snapshots of one task, in order, off the task's thread.
pub trait SnapshotWriter: Send {
    /// Stores what the operators handed over.
    ///
    /// # Errors
    /// If it cannot be stored. What the operators handed over is lost then, and the next snapshot will be a
    /// full one.
    fn write(
        &mut self,
        barrier: Barrier,
        target: Option<&str>,
        operators: Vec<OperatorState>,
    ) -> Result<Stored>;
}

/// Called with each report.
pub(crate) type Report = Arc<dyn Fn(TaskReport) + Send + Sync>;

/// A task's hand-over.
pub(crate) struct Work {
    pub(crate) barrier: Barrier,
    pub(crate) target: Option<Arc<str>>,
    pub(crate) operators: Vec<OperatorState>,
    /// Whether it contains everything, and not only changes since the previous one.
    pub(crate) full: bool,
    pub(crate) metrics: SnapshotMetrics,
    /// What the barrier overtook; it belongs to the first operator.
    pub(crate) overtaken: Option<Overtaken>,
}

/// The thread and the way to it.
pub(crate) struct Uploader {
    queue: Arc<Queue>,
    thread: Thread,
    report: Report,
}

#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

/// A hand-over in the queue.
struct Queued {
    work: Work,
    /// Not everything that its barrier overtook is kept yet.
    incomplete: bool,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Queued>,
    /// The remaining work of discarded snapshots.
    later: Vec<Later>,
    /// The last hand-over was lost, so that nothing can build on it.
    lost: bool,
    /// The next hand-over had better be full.
    outgrown: bool,
    closed: bool,
}

impl Waiting {
    fn position(&self, checkpoint: CheckpointId) -> Option<usize> {
        self.work.iter().position(|queued| queued.work.barrier.checkpoint == checkpoint)
    }

    /// Discards a hand-over, and those that build on it. Returns the checkpoints of the latter.
    fn drop_one(&mut self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let Some(at) = self.position(checkpoint) else { return Vec::new() };
        let Some(Queued { work, .. }) = self.work.remove(at) else { return Vec::new() };
        self.leave(work);
        self.drop_building_from(at)
    }

    /// Discards what builds on a hand-over that was lost, and was in front of this position.
    fn drop_building_from(&mut self, at: usize) -> Vec<CheckpointId> {
        let full = self.work.iter().skip(at).position(|queued| queued.work.full);
        let end = full.map_or(self.work.len(), |behind| at + behind);
        self.lost |= end == self.work.len();
        let dropped: Vec<Queued> = self.work.drain(at..end).collect();
        let checkpoints = dropped.iter().map(|queued| queued.work.barrier.checkpoint).collect();
        dropped.into_iter().for_each(|queued| self.leave(queued.work));
        checkpoints
    }

    /// The remaining work of a discarded hand-over is done nevertheless: it is part of the snapshots after it.
    fn leave(&mut self, work: Work) {
        self.later.extend(work.operators.into_iter().filter_map(|state| state.later));
    }
}

/// Declines checkpoints that build on one that is lost. That one is the failure, if it is one.
fn decline(building_on_it: &[CheckpointId], report: &Report) {
    for checkpoint in building_on_it {
        tracing::info!(%checkpoint, "a snapshot is dropped: it builds on one that was not stored");
        report(TaskReport::Decline { checkpoint: *checkpoint, failure: None });
    }
}

impl Uploader {
    pub(crate) fn start(
        name: &str,
        threads: &Threads,
        writer: Box<dyn SnapshotWriter>,
        clock: Arc<dyn Clock>,
        report: Report,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let (work, told) = (queue.clone(), report.clone());
        let thread =
            threads.spawn(&format!("{name} snapshots"), move || upload(&work, writer, &*clock, &told))?;
        Ok(Uploader { queue, thread, report })
    }

    /// Whether the next hand-over must be full: the last one was lost, or what is stored has outgrown its worth.
    pub(crate) fn must_be_full(&self) -> bool {
        let state = self.queue.state.lock();
        state.lost || state.outgrown
    }

    /// Stores a snapshot, after those before it.
    pub(crate) fn write(&self, work: Work) -> Result<()> {
        self.push(Queued { work, incomplete: false })
    }

    /// Stores a snapshot once [`Uploader::complete`] brings what its barrier overtook.
    pub(crate) fn write_when_complete(&self, work: Work) -> Result<()> {
        self.push(Queued { work, incomplete: true })
    }

    fn push(&self, queued: Queued) -> Result<()> {
        if self.thread.has_ended() {
            return Err(Error::internal("the snapshot thread has ended"));
        }
        let mut state = self.queue.state.lock();
        if state.lost && !queued.work.full {
            // What it builds on was lost while it was taken.
            let checkpoint = queued.work.barrier.checkpoint;
            state.leave(queued.work);
            drop(state);
            decline(&[checkpoint], &self.report);
            return Ok(());
        }
        state.lost = false;
        state.outgrown &= !queued.work.full;
        state.work.push_back(queued);
        drop(state);
        self.queue.changed.notify_one();
        Ok(())
    }

    /// Whether a snapshot waits for what its barrier overtook.
    pub(crate) fn is_incomplete(&self, checkpoint: CheckpointId) -> bool {
        let state = self.queue.state.lock();
        state.position(checkpoint).is_some_and(|at| state.work[at].incomplete)
    }

    /// Everything that a barrier overtook is kept.
    pub(crate) fn complete(&self, checkpoint: CheckpointId, overtaken: Overtaken) {
        let mut state = self.queue.state.lock();
        if let Some(at) = state.position(checkpoint) {
            let queued = &mut state.work[at];
            queued.work.overtaken = Some(overtaken);
            queued.incomplete = false;
            self.queue.changed.notify_one();
        }
    }

    /// Nobody waits for this checkpoint any more. Those that build on it are declined, and returned.
    pub(crate) fn abort(&self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let building_on_it = self.queue.state.lock().drop_one(checkpoint);
        // What is behind may be complete.
        self.queue.changed.notify_one();
        decline(&building_on_it, &self.report);
        building_on_it
    }
}

impl Drop for Uploader {
    /// Waits for what is in progress: a task that has ended writes nothing any more, and begins nothing. But
    /// an unresponsive store must not keep the job from ending; what it writes later belongs to a checkpoint
    /// that never completes.
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.queue.state.lock();
            state.closed = true;
            std::mem::take(&mut state.work)
        };
        self.queue.changed.notify_one();
        drop(waiting);
        if !self.thread.wait_for(STORE_ANSWERS_WITHIN) {
            tracing::warn!("the snapshot store does not respond; the task does not wait for it");
            self.thread.abandon();
        }
    }
}

impl Queue {
    /// The next hand-over, and the work to do before it; `None` when the task has ended.
    fn next(&self) -> Option<(Vec<Later>, Work)> {
        let mut state = self.state.lock();
        loop {
            if let Some(Queued { work, .. }) = state.work.pop_front_if(|queued| !queued.incomplete) {
                return Some((std::mem::take(&mut state.later), work));
            }
            if state.closed {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }
}

fn upload(queue: &Queue, mut writer: Box<dyn SnapshotWriter>, clock: &dyn Clock, report: &Report) {
    while let Some((left, work)) = queue.next() {
        let Work { barrier, target, mut operators, mut metrics, overtaken, .. } = work;
        let checkpoint = barrier.checkpoint;
        let start = clock.nanos();
        for Later(later) in left {
            // Its owner learns about an error in its own way.
            if let Err(error) = guard("snapshot", later) {
                tracing::warn!(%checkpoint, %error, "finishing an abandoned snapshot failed");
            }
        }
        let written = guard("snapshot", || {
            for state in &mut operators {
                if let Some(Later(later)) = state.later.take() {
                    state.state.lists.extend(later()?);
                }
            }
            if let (Some(overtaken), Some(head)) = (overtaken, operators.first_mut()) {
                head.in_flight = overtaken.encode()?;
                metrics.persisted = head.in_flight.as_ref().map_or(0, |rows| rows.bytes.len() as u64);
            }
            writer.write(barrier, target.as_deref(), operators)
        });
        match written {
            Ok(Stored { snapshot, size, full_size, outgrown }) => {
                queue.state.lock().outgrown |= outgrown;
                metrics.async_millis = (clock.nanos().saturating_sub(start) / 1_000_000) as i64;
                metrics.size = size;
                metrics.full_size = full_size;
                report(TaskReport::Ack { checkpoint, snapshot, metrics });
            }
            Err(error) => {
                let building_on_it = queue.state.lock().drop_building_from(0);
                report(TaskReport::Decline { checkpoint, failure: Some(error.to_string()) });
                decline(&building_on_it, report);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use flott_checkpoint::CheckpointKind;
    use flott_types::SystemClock;

    use super::*;

    /// A store that reports what it was given, and then hangs until it may continue.
    struct Hanging(Sender<u64>, Receiver<()>);

    impl SnapshotWriter for Hanging {
        fn write(&mut self, barrier: Barrier, _: Option<&str>, _: Vec<OperatorState>) -> Result<Stored> {
            let _ = self.0.send(barrier.checkpoint.0);
            let _ = self.1.recv();
            Ok(Stored::default())
        }
    }

    fn work(checkpoint: u64, full: bool) -> Work {
        let kind = CheckpointKind::Checkpoint;
        let barrier =
            Barrier { checkpoint: CheckpointId(checkpoint), created_at: 0, kind, overtakes_after: None };
        Work {
            barrier,
            target: None,
            operators: Vec::new(),
            full,
            metrics: SnapshotMetrics::default(),
            overtaken: None,
        }
    }

    type Reports = Arc<Mutex<Vec<String>>>;

    fn uploader(writer: impl SnapshotWriter + 'static) -> (Uploader, Reports) {
        let reports = Reports::default();
        let seen = reports.clone();
        let report: Report = Arc::new(move |report| {
            seen.lock().push(match report {
                TaskReport::Ack { checkpoint, .. } => format!("{checkpoint} stored"),
                TaskReport::Decline { checkpoint, failure: None } => format!("{checkpoint} declined"),
                TaskReport::Decline { checkpoint, failure: Some(_) } => format!("{checkpoint} failed"),
                other => format!("{other:?}"),
            });
        });
        let clock = Arc::new(SystemClock::new());
        let writer = Box::new(writer);
        (Uploader::start("t", &Threads::default(), writer, clock, report).unwrap(), reports)
    }

    fn overtaken() -> Overtaken {
        Overtaken { channels: Vec::new(), kept: Vec::new() }
    }

    /// Of three snapshots whose barriers have overtaken, the second and third hold changes since the one before.
    #[test]
    fn a_snapshot_that_waits_for_what_is_kept_does_not_survive_the_one_that_it_builds_on() {
        let (began, begun) = channel();
        let (go_on, wait) = channel();
        let (uploader, reports) = uploader(Hanging(began, wait));
        for (checkpoint, full) in [(4, true), (5, false), (6, false)] {
            uploader.write_when_complete(work(checkpoint, full)).unwrap();
        }
        uploader.complete(CheckpointId(4), overtaken());
        assert_eq!(begun.recv().unwrap(), 4);
        assert_eq!(uploader.abort(CheckpointId(5)), [CheckpointId(6)]);
        assert!(!uploader.is_incomplete(CheckpointId(6)) && uploader.must_be_full());
        // What was overtaken by the dropped one may still be brought.
        uploader.complete(CheckpointId(6), overtaken());
        // One that was begun before the loss was known.
        uploader.write_when_complete(work(7, false)).unwrap();
        uploader.write_when_complete(work(8, true)).unwrap();
        uploader.write(work(9, false)).unwrap();
        assert!(uploader.is_incomplete(CheckpointId(8)) && !uploader.must_be_full());
        uploader.complete(CheckpointId(8), overtaken());
        (0..3).for_each(|_| go_on.send(()).unwrap());
        assert_eq!((begun.recv().unwrap(), begun.recv().unwrap()), (8, 9));
        drop(go_on);
        drop(uploader);
        assert_eq!(*reports.lock(), ["6 declined", "7 declined", "4 stored", "8 stored", "9 stored"]);
    }

    /// A queued one is dropped while the one that builds on it waits for what is kept.
    #[test]
    fn a_loss_reaches_those_behind_it_whether_they_wait_or_not() {
        let (began, begun) = channel();
        let (go_on, wait) = channel();
        let (uploader, reports) = uploader(Hanging(began, wait));
        uploader.write(work(3, true)).unwrap();
        assert_eq!(begun.recv().unwrap(), 3);
        uploader.write(work(4, false)).unwrap();
        uploader.write_when_complete(work(5, false)).unwrap();
        assert_eq!(uploader.abort(CheckpointId(4)), [CheckpointId(5)]);
        assert!(uploader.must_be_full());
        go_on.send(()).unwrap();
        drop(go_on);
        drop(uploader);
        assert_eq!(*reports.lock(), ["5 declined", "3 stored"]);
    }

    /// A store that fails once.
    struct Failing(Hanging, bool);

    impl SnapshotWriter for Failing {
        fn write(
            &mut self,
            barrier: Barrier,
            target: Option<&str>,
            all: Vec<OperatorState>,
        ) -> Result<Stored> {
            let stored = self.0.write(barrier, target, all);
            if std::mem::take(&mut self.1) { Err(Error::external("no disk")) } else { stored }
        }
    }

    #[test]
    fn what_cannot_be_stored_takes_along_what_builds_on_it() {
        let (began, begun) = channel();
        let (go_on, wait) = channel();
        let (uploader, reports) = uploader(Failing(Hanging(began, wait), true));
        uploader.write(work(1, true)).unwrap();
        assert_eq!(begun.recv().unwrap(), 1);
        uploader.write(work(2, false)).unwrap();
        uploader.write_when_complete(work(3, false)).unwrap();
        uploader.write(work(4, true)).unwrap();
        uploader.write(work(5, false)).unwrap();
        (0..3).for_each(|_| go_on.send(()).unwrap());
        assert_eq!((begun.recv().unwrap(), begun.recv().unwrap()), (4, 5));
        drop(go_on);
        drop(uploader);
        assert_eq!(*reports.lock(), ["1 failed", "2 declined", "3 declined", "4 stored", "5 stored"]);
    }

    #[test]
    fn what_is_aborted_while_the_store_hangs_is_never_written() {
        let (began, begun) = channel();
        let (go_on, wait) = channel();
        let (uploader, reports) = uploader(Hanging(began, wait));
        uploader.write(work(1, true)).unwrap();
        assert_eq!(begun.recv().unwrap(), 1);
        // Each times out before its turn comes.
        for checkpoint in 2..100 {
            uploader.write(work(checkpoint, checkpoint > 2)).unwrap();
            uploader.abort(CheckpointId(checkpoint));
            assert_eq!(uploader.queue.state.lock().work.len(), 0);
            assert!(uploader.must_be_full(), "the next one cannot build on it");
        }
        uploader.write(work(100, true)).unwrap();
        assert!(!uploader.must_be_full());
        uploader.write(work(101, false)).unwrap();
        uploader.write(work(102, false)).unwrap();
        uploader.write(work(103, true)).unwrap();
        uploader.abort(CheckpointId(101));
        assert!(!uploader.must_be_full(), "what comes next builds on 103");
        (0..3).for_each(|_| go_on.send(()).unwrap());
        assert_eq!((begun.recv().unwrap(), begun.recv().unwrap()), (100, 103));
        uploader.abort(CheckpointId(103));
        drop(go_on);
        drop(uploader);
        let reports = reports.lock();
        assert_eq!(*reports, ["102 declined", "1 stored", "100 stored", "103 stored"]);
    }
}
