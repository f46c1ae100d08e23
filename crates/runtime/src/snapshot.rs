//! The asynchronous part of a task's snapshots: a thread of the task's own that stores them in order and acknowledges.
//!
//! Order matters, because a snapshot of changes builds on the one before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{SubtaskRestore, TaskSnapshot};
use flott_state::RestoredState;
use flott_types::{Clock, Error, Result};

use crate::chain::{OperatorState, guard};
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
}

/// Stores the snapshots of one task, in order, off the task's thread.
pub trait SnapshotWriter: Send {
    /// Stores what the operators handed over; answers what goes into the manifest, and how many bytes were written.
    ///
    /// # Errors
    /// If it cannot be stored. What the operators handed over is lost then, and the next snapshot will be a full one.
    fn write(
        &mut self,
        barrier: Barrier,
        target: Option<&str>,
        operators: Vec<OperatorState>,
    ) -> Result<(TaskSnapshot, u64)>;
}

/// Called with each report.
pub(crate) type Report = Arc<dyn Fn(TaskReport) + Send + Sync>;

struct Work {
    barrier: Barrier,
    target: Option<Arc<str>>,
    operators: Vec<OperatorState>,
    metrics: SnapshotMetrics,
}

/// The thread and the way to it.
pub(crate) struct Uploader {
    work: Option<Sender<Work>>,
    thread: Thread,
    lost: Arc<AtomicBool>,
}

impl Uploader {
    pub(crate) fn start(
        name: &str,
        threads: &Threads,
        writer: Box<dyn SnapshotWriter>,
        clock: Arc<dyn Clock>,
        report: Report,
    ) -> Result<Self> {
        let (work, received) = channel();
        let lost = Arc::new(AtomicBool::new(false));
        let told = lost.clone();
        let thread = threads
            .spawn(&format!("{name} snapshots"), move || upload(received, writer, &*clock, &report, &told))?;
        Ok(Uploader { work: Some(work), thread, lost })
    }

    /// Whether the last hand-over was lost; asked once.
    pub(crate) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn write(
        &self,
        barrier: Barrier,
        target: Option<Arc<str>>,
        operators: Vec<OperatorState>,
        metrics: SnapshotMetrics,
    ) -> Result<()> {
        let work = Work { barrier, target, operators, metrics };
        match self.work.as_ref().map(|sender| sender.send(work)) {
            Some(Ok(())) => Ok(()),
            _ => Err(Error::internal("the snapshot thread has ended")),
        }
    }
}

impl Drop for Uploader {
    /// Waits for what is under way: a task that has ended writes nothing any more. But a store that does not answer must not
    /// keep the job from its end; what it writes later belongs to a checkpoint that never completes.
    fn drop(&mut self) {
        self.work = None;
        if !self.thread.wait_for(STORE_ANSWERS_WITHIN) {
            tracing::warn!("the store of snapshots does not answer; the task does not wait for it");
            self.thread.abandon();
        }
    }
}

fn upload(
    work: Receiver<Work>,
    mut writer: Box<dyn SnapshotWriter>,
    clock: &dyn Clock,
    report: &Report,
    lost: &AtomicBool,
) {
    for Work { barrier, target, operators, mut metrics } in work {
        let checkpoint = barrier.checkpoint;
        let start = clock.nanos();
        match guard("snapshot", || writer.write(barrier, target.as_deref(), operators)) {
            Ok((snapshot, size)) => {
                metrics.async_millis = (clock.nanos().saturating_sub(start) / 1_000_000) as i64;
                metrics.size = size;
                report(TaskReport::Ack { checkpoint, snapshot, metrics });
            }
            Err(error) => {
                lost.store(true, Ordering::Release);
                report(TaskReport::Decline { checkpoint, failure: Some(error.to_string()) });
            }
        }
    }
}
