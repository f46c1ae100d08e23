//! What is known of a job from outside: its state, its failures, its checkpoints. Written by the job master,
//! read by clients.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flott_checkpoint::{Attempt, Barrier, CheckpointKind, ExecutionState, JobStatus, TaskId};
use flott_runtime::{Failure, SnapshotMetrics};
use flott_types::{CheckpointId, JobId, Timestamp};
use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

use crate::messages::TaskManagerId;
use crate::restored::Beginning;
use crate::scaling::Requirements;

/// `web.exception-history-size`
const EXCEPTIONS: usize = 16;
/// `web.checkpoints.history`
const CHECKPOINTS: usize = 10;

/// What is known of one job.
#[derive(Debug)]
pub(crate) struct JobShared {
    pub(crate) job: JobId,
    pub(crate) name: String,
    pub(crate) beginning: Beginning,
    state: Mutex<JobInfo>,
    changed: Condvar,
    /// Counts the changes. Only with the lock.
    version: AtomicU64,
}

/// A job at one moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobInfo {
    /// Its state.
    pub status: JobStatus,
    /// When it came into which state, oldest first.
    pub timestamps: Vec<(JobStatus, Timestamp)>,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The errors, newest first.
    pub exceptions: VecDeque<ExceptionEntry>,
    /// How often it was deployed.
    pub attempt: Attempt,
    /// The states of its tasks.
    pub tasks: BTreeMap<TaskId, ExecutionState>,
    /// The executions of its tasks in the current attempt.
    #[serde(default)]
    pub executions: BTreeMap<TaskId, TaskExecution>,
    /// Its checkpoints.
    pub checkpoints: CheckpointStats,
    /// How parallel its vertices may be, if it is scheduled adaptively.
    #[serde(default)]
    pub requirements: Requirements,
    /// What it waits for before it can be deployed: the slots that are missing.
    pub waits_for: Option<String>,
    /// Whether all its sources end by themselves.
    pub bounded: bool,
    /// Whether it runs in batch mode (`execution.runtime-mode`).
    #[serde(default)]
    pub is_batch: bool,
}

/// The execution of a task in one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskExecution {
    /// Where it runs.
    pub task_manager: TaskManagerId,
    /// When it entered which state, oldest first.
    pub entered: Vec<(ExecutionState, Timestamp)>,
}

/// One entry of the exception history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExceptionEntry {
    /// What happened.
    pub failure: Failure,
    /// In which task, if in one.
    pub task: Option<TaskId>,
    /// Which attempt it ended.
    pub attempt: Attempt,
}

/// The checkpoints of a job.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub struct CheckpointStats {
    /// `numberOfCompletedCheckpoints`
    pub completed: u64,
    /// `numberOfFailedCheckpoints`
    pub failed: u64,
    /// `numberOfInProgressCheckpoints`
    pub in_progress: u64,
    /// How often the job was restored.
    pub restored: u64,
    /// The last ones, newest first.
    pub history: VecDeque<CheckpointRecord>,
    /// The one that the job was last restored from.
    pub restored_from: Option<CheckpointId>,
}

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CheckpointStatus {
    /// Still running.
    InProgress,
    /// Durable.
    Completed,
    /// Given up.
    Failed,
}

/// One checkpoint or savepoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckpointRecord {
    /// Its id.
    pub id: CheckpointId,
    /// What for.
    pub kind: CheckpointKind,
    /// How it went.
    pub status: CheckpointStatus,
    /// When it was triggered.
    pub triggered_at: Timestamp,
    /// When the last task acknowledged it or it was over.
    pub latest_ack_at: Timestamp,
    /// `lastCheckpointDuration`: from trigger to durable (or given up), in milliseconds.
    pub duration_millis: i64,
    /// `lastCheckpointSize`: what was written for it, in bytes.
    pub size: u64,
    /// Where it lies, if that has a name (`lastCheckpointExternalPath`).
    pub path: Option<String>,
    /// How long the phases took, for each task that acknowledged.
    pub tasks: BTreeMap<TaskId, SnapshotMetrics>,
}

impl JobShared {
    pub(crate) fn new(job: JobId, name: String, beginning: Beginning, now: Timestamp, bounded: bool) -> Self {
        let state = JobInfo {
            status: JobStatus::Initializing,
            timestamps: vec![(JobStatus::Initializing, now)],
            failure: None,
            exceptions: VecDeque::new(),
            attempt: Attempt::default(),
            tasks: BTreeMap::new(),
            executions: BTreeMap::new(),
            checkpoints: CheckpointStats::default(),
            requirements: Requirements::new(),
            waits_for: None,
            bounded,
            is_batch: false,
        };
        JobShared {
            job,
            name,
            beginning,
            state: Mutex::new(state),
            changed: Condvar::new(),
            // Another one than that of whoever runs the job under an earlier or a later leader: clients wait for
            // another than they have seen.
            version: AtomicU64::new((RandomState::new().hash_one(job.0) >> 1).max(1)),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, JobInfo> {
        self.state.lock()
    }

    /// Changes something and wakes those who wait for it.
    pub(crate) fn update(&self, change: impl FnOnce(&mut JobInfo)) {
        let mut state = self.state.lock();
        change(&mut state);
        self.version.fetch_add(1, Ordering::SeqCst);
        drop(state);
        self.changed.notify_all();
    }

    /// What is known, as soon as it is another version than this one, which may be of an earlier leader of the cluster.
    pub(crate) fn newer(&self, seen: u64, timeout: Duration) -> (u64, JobInfo) {
        let mut state = self.state.lock();
        self.changed.wait_while_for(&mut state, |_| self.version.load(Ordering::SeqCst) == seen, timeout);
        (self.version.load(Ordering::SeqCst), state.clone())
    }

    /// Waits until something holds, at most this long; returns whether it does.
    pub(crate) fn wait(&self, timeout: Duration, mut holds: impl FnMut(&JobInfo) -> bool) -> bool {
        let mut state = self.state.lock();
        !self.changed.wait_while_for(&mut state, |state| !holds(state), timeout).timed_out()
    }
}

impl JobInfo {
    /// Whether it has ended, or waits for time to pass, or runs with no checkpoint in progress.
    pub(crate) fn is_quiet(&self) -> bool {
        let all = |state: fn(ExecutionState) -> bool| self.tasks.values().all(|task| state(*task));
        match self.status {
            JobStatus::Running => {
                all(|task| task == ExecutionState::Running) && self.checkpoints.in_progress == 0
            }
            JobStatus::Restarting => all(ExecutionState::is_terminal),
            JobStatus::Failed | JobStatus::Canceled | JobStatus::Finished | JobStatus::Suspended => true,
            JobStatus::Initializing | JobStatus::Created | JobStatus::Failing | JobStatus::Cancelling => {
                false
            }
        }
    }

    /// Tasks are deployed to these TaskManagers; nothing of an earlier attempt counts any more.
    pub(crate) fn deployed(&mut self, homes: &BTreeMap<TaskId, TaskManagerId>, now: Timestamp) {
        let state = ExecutionState::Deploying;
        self.tasks = homes.keys().map(|task| (*task, state)).collect();
        let execution =
            |home: &TaskManagerId| TaskExecution { task_manager: *home, entered: vec![(state, now)] };
        self.executions = homes.iter().map(|(task, home)| (*task, execution(home))).collect();
    }

    /// A task is in this state now.
    pub(crate) fn entered(&mut self, task: TaskId, state: ExecutionState, now: Timestamp) {
        self.tasks.insert(task, state);
        if let Some(execution) = self.executions.get_mut(&task) {
            execution.entered.push((state, now));
        }
    }

    pub(crate) fn failed(&mut self, failure: Failure, task: Option<TaskId>) {
        self.exceptions.push_front(ExceptionEntry { failure, task, attempt: self.attempt });
        self.exceptions.truncate(EXCEPTIONS);
    }
}

impl CheckpointStats {
    /// The last one that completed.
    pub fn last_completed(&self) -> Option<&CheckpointRecord> {
        self.history.iter().find(|record| record.status == CheckpointStatus::Completed)
    }

    pub(crate) fn triggered(&mut self, barrier: Barrier) {
        self.in_progress += 1;
        self.history.push_front(CheckpointRecord {
            id: barrier.checkpoint,
            kind: barrier.kind,
            status: CheckpointStatus::InProgress,
            triggered_at: barrier.created_at,
            latest_ack_at: barrier.created_at,
            duration_millis: 0,
            size: 0,
            path: None,
            tasks: BTreeMap::new(),
        });
        self.history.truncate(CHECKPOINTS);
    }

    pub(crate) fn acked(
        &mut self,
        checkpoint: CheckpointId,
        task: TaskId,
        metrics: SnapshotMetrics,
        now: Timestamp,
    ) {
        if let Some(record) = self.running(checkpoint) {
            record.size += metrics.size;
            record.latest_ack_at = now;
            record.tasks.insert(task, metrics);
        }
    }

    pub(crate) fn ended(&mut self, checkpoint: CheckpointId, path: Option<String>, now: Timestamp) {
        let Some(record) = self.running(checkpoint) else {
            return;
        };
        record.duration_millis = now.saturating_sub(record.triggered_at);
        match path {
            Some(path) => {
                record.status = CheckpointStatus::Completed;
                record.path = Some(path);
                self.completed += 1;
            }
            None => {
                record.status = CheckpointStatus::Failed;
                self.failed += 1;
            }
        }
        self.in_progress = self.in_progress.saturating_sub(1);
    }

    fn running(&mut self, checkpoint: CheckpointId) -> Option<&mut CheckpointRecord> {
        let mut history = self.history.iter_mut();
        history.find(|record| record.id == checkpoint && record.status == CheckpointStatus::InProgress)
    }
}
