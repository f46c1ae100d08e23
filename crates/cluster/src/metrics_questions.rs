//! The metrics of a job's tasks, asked of all TaskManagers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use flott_checkpoint::TaskId;
use flott_runtime::TaskMetricsReport;
use flott_types::{Clock, JobId, SystemClock};
use parking_lot::Mutex;

use crate::messages::{ToTaskManager, Work};
use crate::resource_manager::ResourceManager;

/// A TaskManager that does not report its metrics within this time is left out.
const WITHIN: Duration = Duration::from_secs(1);

/// The metrics of tasks.
pub(crate) type TaskMetrics = Vec<(TaskId, TaskMetricsReport)>;

/// Questions that are not answered yet, and where their answers go.
#[derive(Default)]
pub(crate) struct MetricsQuestions {
    pending: Mutex<BTreeMap<u64, Sender<TaskMetrics>>>,
    asked: AtomicU64,
}

impl MetricsQuestions {
    /// Asks all TaskManagers, and waits for those that answer soon.
    pub(crate) fn ask(&self, job: JobId, resources: &ResourceManager) -> TaskMetrics {
        let question = self.asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answers) = channel();
        self.pending.lock().insert(question, answer);
        let work = || Work::ReportMetrics { job, question };
        let members = resources.members().into_iter();
        let asked =
            members.filter(|member| member.gateway.send(ToTaskManager::Work(member.slot.session, work())));
        let clock = SystemClock::new();
        let left = || WITHIN.saturating_sub(Duration::from_nanos(clock.nanos()));
        let heard = (0..asked.count()).map_while(|_| answers.recv_timeout(left()).ok());
        let metrics = heard.flatten().collect();
        self.pending.lock().remove(&question);
        metrics
    }

    /// A TaskManager has answered; perhaps too late.
    pub(crate) fn answered(&self, question: u64, metrics: TaskMetrics) {
        if let Some(answer) = self.pending.lock().get(&question) {
            // Nobody waits any more.
            let _ = answer.send(metrics);
        }
    }
}
