//! The asynchronous part of a task's snapshots: a second thread of the task that stores them in order and
//! acknowledges.
//!
//! Order matters, because a snapshot of changes builds on the one before it.
//!
//! The queue is bounded by the coordinator's concurrent checkpoints: one that is aborted while it waits is
//! discarded, unwritten, and so are the incremental snapshots that build on it. The next one must then be
//! full. A store that hangs for an hour costs the one hand-over that hangs, and one that waits.

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

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
    /// The remaining work of discarded snapshots.
    later: Vec<Later>,
    /// The last hand-over was lost, so that nothing can build on it.
    lost: bool,
    closed: bool,
}

impl Waiting {
    /// Discards a hand-over, and those that build on it. Returns the checkpoints of the latter.
    fn drop_one(&mut self, checkpoint: CheckpointId) -> Vec<CheckpointId> {
        let Some(at) = self.work.iter().position(|work| work.barrier.checkpoint == checkpoint) else {
            return Vec::new();
        };
        let behind = self.work.iter().skip(at + 1).position(|work| work.full);
        let end = behind.map_or(self.work.len(), |behind| at + 1 + behind);
        self.lost |= end == self.work.len();
        let dropped: Vec<Work> = self.work.drain(at..end).collect();
        let checkpoints = dropped.iter().skip(1).map(|work| work.barrier.checkpoint).collect();
        // Their remaining work is done nevertheless: it is part of the snapshots after them.
        self.later
            .extend(dropped.into_iter().flat_map(|work| work.operators).filter_map(|state| state.later));
        checkpoints
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

    /// Whether the last hand-over was lost; resets the flag.
    pub(crate) fn take_lost(&self) -> bool {
        std::mem::take(&mut self.queue.state.lock().lost)
    }

    pub(crate) fn write(&self, work: Work) -> Result<()> {
        if self.thread.has_ended() {
            return Err(Error::internal("the snapshot thread has ended"));
        }
        self.queue.state.lock().work.push_back(work);
        self.queue.changed.notify_one();
        Ok(())
    }

    /// A hand-over that is not to be stored. What builds on it must be full.
    pub(crate) fn discard(&self, work: Work) {
        let mut state = self.queue.state.lock();
        state.lost = true;
        state.later.extend(work.operators.into_iter().filter_map(|state| state.later));
    }

    /// Nobody waits for this checkpoint any more.
    pub(crate) fn abort(&self, checkpoint: CheckpointId) {
        let building_on_it = self.queue.state.lock().drop_one(checkpoint);
        for other in building_on_it {
            let failure =
                format!("it builds on checkpoint {checkpoint}, which was aborted before it was stored");
            (self.report)(TaskReport::Decline { checkpoint: other, failure: Some(failure) });
        }
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
            if let Some(work) = state.work.pop_front() {
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
            Ok(Stored { snapshot, size, full_size }) => {
                metrics.async_millis = (clock.nanos().saturating_sub(start) / 1_000_000) as i64;
                metrics.size = size;
                metrics.full_size = full_size;
                report(TaskReport::Ack { checkpoint, snapshot, metrics });
            }
            Err(error) => {
                queue.state.lock().lost = true;
                report(TaskReport::Decline { checkpoint, failure: Some(error.to_string()) });
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
            Barrier { checkpoint: CheckpointId(checkpoint), created_at: 0, kind, overtakes_at: None };
        Work {
            barrier,
            target: None,
            operators: Vec::new(),
            full,
            metrics: SnapshotMetrics::default(),
            overtaken: None,
        }
    }

    #[test]
    fn what_is_aborted_while_the_store_hangs_is_never_written() {
        let (began, begun) = channel();
        let (go_on, wait) = channel();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let seen = reports.clone();
        let report: Report = Arc::new(move |report| {
            seen.lock().push(match report {
                TaskReport::Ack { checkpoint, .. } => format!("{checkpoint} stored"),
                TaskReport::Decline { checkpoint, .. } => format!("{checkpoint} declined"),
                other => format!("{other:?}"),
            });
        });
        let writer = Box::new(Hanging(began, wait));
        let clock = Arc::new(SystemClock::new());
        let uploader = Uploader::start("t", &Threads::default(), writer, clock, report).unwrap();
        uploader.write(work(1, true)).unwrap();
        assert_eq!(begun.recv().unwrap(), 1);
        // Each times out before its turn comes.
        for checkpoint in 2..100 {
            uploader.write(work(checkpoint, checkpoint > 2)).unwrap();
            uploader.abort(CheckpointId(checkpoint));
            assert_eq!(uploader.queue.state.lock().work.len(), 0);
            assert!(uploader.take_lost(), "the next one cannot build on it");
        }
        assert!(!uploader.take_lost());
        uploader.write(work(100, true)).unwrap();
        uploader.write(work(101, false)).unwrap();
        uploader.write(work(102, false)).unwrap();
        uploader.write(work(103, true)).unwrap();
        uploader.abort(CheckpointId(101));
        assert!(!uploader.take_lost(), "what comes next builds on 103");
        (0..3).for_each(|_| go_on.send(()).unwrap());
        assert_eq!((begun.recv().unwrap(), begun.recv().unwrap()), (100, 103));
        uploader.abort(CheckpointId(103));
        drop(go_on);
        drop(uploader);
        let reports = reports.lock();
        assert_eq!(*reports, ["102 declined", "1 stored", "100 stored", "103 stored"]);
    }
}
