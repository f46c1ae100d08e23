//! The TaskManager's side of collected rows: what its tasks emit goes to the JobManager as messages, within a credit of rows.
//!
//! Rows that were sent and not credited again are bounded for each task. The JobManager gives credit for what it has received, except while the
//! client is behind: then the task waits.

use std::sync::Arc;
use std::time::Duration;

use flott_batch::Batch;
use flott_checkpoint::Attempt;
use flott_operator::TaskInfo;
use flott_runtime::gate::CancelFlag;
use flott_runtime::{Collector, Results};
use flott_types::{CheckpointId, Clock, FastMap, JobId, Result};
use parking_lot::{Condvar, Mutex};

use crate::collected::{CollectorId, FromCollector};
use crate::messages::{TaskManagerId, ToJobManager};

/// So many rows a task may send before it hears that some have arrived.
pub(crate) const CREDIT: usize = 100_000;
/// How often who waits for credit looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// Sends a message to the JobManager; one that cannot be delivered ends the session.
pub(crate) type ToJobManagerOrEnd = Arc<dyn Fn(ToJobManager) + Send + Sync>;

/// The collecting tasks of a TaskManager.
pub(crate) struct Collecting {
    task_manager: TaskManagerId,
    send: ToJobManagerOrEnd,
    credits: Mutex<FastMap<(JobId, Attempt, u32), Arc<Credit>>>,
}

/// How many rows a task may send; once it has sent them, fewer than none.
struct Credit {
    rows: Mutex<i64>,
    more: Condvar,
}

impl Collecting {
    pub(crate) fn new(task_manager: TaskManagerId, send: ToJobManagerOrEnd) -> Self {
        Collecting { task_manager, send, credits: Mutex::default() }
    }

    /// The JobManager has received rows, and the client keeps up.
    pub(crate) fn grant(&self, job: JobId, attempt: Attempt, subtask: u32, rows: u64) {
        // Of one that has left there is nothing to do.
        let Some(credit) = self.credits.lock().get(&(job, attempt, subtask)).cloned() else { return };
        let mut left = credit.rows.lock();
        *left = left.saturating_add_unsigned(rows);
        credit.more.notify_all();
    }

    /// A job has ended.
    pub(crate) fn forget(&self, job: JobId) {
        self.credits.lock().retain(|(of, ..), _| *of != job);
    }
}

/// Gives tasks their collectors.
pub(crate) struct CollectsHere(pub(crate) Arc<Collecting>);

impl Results for CollectsHere {
    fn collector(&self, info: &TaskInfo) -> Result<Box<dyn Collector>> {
        let Collecting { task_manager, send, credits } = &*self.0;
        let (attempt, subtask) = (Attempt(info.attempt), info.subtask.0);
        let credit = Arc::new(Credit { rows: Mutex::new(CREDIT as i64), more: Condvar::new() });
        let mut credits = credits.lock();
        // Tasks of earlier attempts have nothing to send that anybody takes.
        credits.retain(|(job, of, _), _| *job != info.job || *of == attempt);
        credits.insert((info.job, attempt, subtask), credit.clone());
        let id = CollectorId { task_manager: *task_manager, job: info.job, attempt, subtask };
        Ok(Box::new(SendingCollector { id, send: send.clone(), credit }))
    }
}

struct SendingCollector {
    id: CollectorId,
    send: ToJobManagerOrEnd,
    credit: Arc<Credit>,
}

impl Collector for SendingCollector {
    fn emit(&mut self, batch: Batch, cancel: &CancelFlag, clock: &dyn Clock) -> Result<u64> {
        let mut waited = 0;
        {
            let mut left = self.credit.rows.lock();
            if *left <= 0 {
                let start = clock.nanos();
                while *left <= 0 {
                    cancel.check()?;
                    self.credit.more.wait_for(&mut left, LOOK);
                }
                waited = clock.nanos().saturating_sub(start);
            }
            *left -= i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        }
        (self.send)(ToJobManager::Collected(self.id, FromCollector::Rows(batch.into())));
        Ok(waited)
    }

    fn seal(&mut self, checkpoint: CheckpointId) {
        (self.send)(ToJobManager::Collected(self.id, FromCollector::Sealed(checkpoint)));
    }
}
