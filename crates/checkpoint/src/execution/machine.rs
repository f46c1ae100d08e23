//! The state machine of a job.

use flott_types::{CheckpointId, Timestamp};

use super::api::{Action, Event, Failure};
use super::{ExecutionState, JobStatus};
use crate::coordinator::RestorePoint;
use crate::failover::Region;
use crate::restart::{Decision, Restart, Strategy};
use crate::{Attempt, TaskId};

/// The execution of one job.
#[derive(Clone, Debug)]
pub struct Execution {
    status: JobStatus,
    region: Region,
    restart: Restart,
    random: u64,
    /// The failure that is being dealt with.
    failure: Option<String>,
    restart_at: Option<Timestamp>,
    awaits: Awaits,
    /// `slot.request.timeout`
    slot_timeout: i64,
    started: bool,
    drained: bool,
    last_checkpoint: Option<CheckpointId>,
    /// The job master commits for sinks.
    commits: bool,
    /// The job has not ended before it has committed what the last checkpoint holds.
    uncommitted: bool,
    ended: bool,
}

/// What the next attempt waits for.
#[derive(Clone, PartialEq, Debug)]
enum Awaits {
    Nothing,
    RestorePoint,
    Slots {
        restore: Option<RestorePoint>,
        until: Timestamp,
        /// What was last told.
        missing: Option<String>,
    },
}

impl Execution {
    /// A job with these tasks. `last_attempt` is 0, or the last attempt that an earlier JobManager deployed.
    /// Waits for slots at most `slot_timeout`. `seed` varies the restart delays.
    pub fn new(
        tasks: Vec<TaskId>,
        strategy: Strategy,
        last_attempt: Attempt,
        slot_timeout: i64,
        seed: u64,
    ) -> Self {
        Execution {
            status: JobStatus::Initializing,
            region: Region::new(tasks, last_attempt),
            restart: Restart::new(strategy),
            random: seed,
            failure: None,
            restart_at: None,
            awaits: Awaits::Nothing,
            slot_timeout,
            started: false,
            drained: false,
            last_checkpoint: None,
            commits: false,
            uncommitted: false,
            ended: false,
        }
    }

    /// Says whether the job has not finished before [`Event::Committed`], besides that its tasks have.
    #[must_use]
    pub fn that_commits(self, commits: bool) -> Self {
        Execution { commits, uncommitted: commits, ..self }
    }

    /// The state of the job.
    pub fn status(&self) -> JobStatus {
        self.status
    }

    /// The tasks and their states.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The last failure.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// When the driver has to send [`Event::Tick`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        if let Awaits::Slots { until, .. } = &self.awaits {
            return Some(*until);
        }
        // Before the old tasks have ended the time alone changes nothing.
        self.restart_at.filter(|_| self.status == JobStatus::Restarting && self.region.all_ended())
    }

    /// The machine.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        let out = &mut actions;
        match event {
            Event::Start if self.status == JobStatus::Initializing => {
                self.set_status(JobStatus::Created, out);
                self.request_restore_point(out);
            }
            Event::RestorePoint(restore) if self.awaits == Awaits::RestorePoint => {
                let until = now.saturating_add(self.slot_timeout);
                self.awaits = Awaits::Slots { restore, until, missing: None };
                out.push(Action::RequestSlots);
            }
            Event::SlotsGranted => self.slots_granted(out),
            Event::SlotsMissing { reason, hopeless } => self.slots_missing(reason, hopeless, now, out),
            Event::TaskManagerLost { attempt, tasks, reason } => {
                self.task_manager_lost(attempt, &tasks, reason, now, out);
            }
            Event::Task { attempt, task, state, failure } => {
                self.task(attempt, task, state, failure, now, out)
            }
            Event::Drained { attempt, task } => self.region.report_drained(attempt, task),
            Event::Fail(failure) => self.fail(failure, now, out),
            Event::LastCheckpointCompleted(checkpoint) => self.finish(checkpoint, out),
            Event::Committed { attempt } => {
                self.uncommitted &= attempt != self.region.attempt() || self.last_checkpoint.is_none();
            }
            Event::Cancel => self.cancel(out),
            Event::Suspend => self.suspend(out),
            Event::Start | Event::RestorePoint(_) | Event::Tick => {}
        }
        self.advance(now, out);
        actions
    }

    fn task(
        &mut self,
        attempt: Attempt,
        task: TaskId,
        state: ExecutionState,
        failure: Option<Failure>,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        if !self.region.report(attempt, task, state) || self.status != JobStatus::Running {
            return;
        }
        let failure = match state {
            ExecutionState::Failed => failure.unwrap_or_else(|| Failure {
                reason: format!("task {task} failed without a reason"),
                retryable: true,
            }),
            ExecutionState::Finished if self.last_checkpoint.is_none() => Failure {
                reason: format!("task {task} finished before the last checkpoint of the job was complete"),
                retryable: true,
            },
            ExecutionState::Canceled => {
                Failure { reason: format!("task {task} was cancelled by its TaskManager"), retryable: true }
            }
            ExecutionState::Created
            | ExecutionState::Scheduled
            | ExecutionState::Deploying
            | ExecutionState::Initializing
            | ExecutionState::Running
            | ExecutionState::Canceling
            | ExecutionState::Finished => return,
        };
        self.fail(failure, now, out);
    }

    fn fail(&mut self, failure: Failure, now: Timestamp, out: &mut Vec<Action>) {
        let before = self.status;
        if !matches!(before, JobStatus::Created | JobStatus::Running | JobStatus::Restarting) {
            return;
        }
        // While it waits for a restart there is no attempt that could fail; except by what it starts from,
        // and where.
        if before == JobStatus::Restarting && self.awaits == Awaits::Nothing && failure.retryable {
            return;
        }
        let jitter = self.jitter();
        // A permanent failure needs no further explanation.
        let decision = failure.retryable.then(|| self.restart.failed(now, jitter));
        match decision {
            Some(Decision::Restart { at }) => {
                self.set_status(JobStatus::Restarting, out);
                self.restart_at = Some(at);
                out.push(Action::ScheduleRestart { at, reason: failure.reason.clone() });
                self.failure = Some(failure.reason.clone());
            }
            Some(Decision::GiveUp { reason }) => {
                self.give_up(format!("{} (not restarted: {reason})", failure.reason), out);
            }
            None => self.give_up(failure.reason.clone(), out),
        }
        self.stop_tasks(&failure.reason, out);
    }

    fn give_up(&mut self, reason: String, out: &mut Vec<Action>) {
        self.set_status(JobStatus::Failing, out);
        self.restart_at = None;
        self.failure = Some(reason);
    }

    fn cancel(&mut self, out: &mut Vec<Action>) {
        let over = matches!(self.status, JobStatus::Failing | JobStatus::Cancelling);
        if !over && !self.status.is_terminal() {
            self.set_status(JobStatus::Cancelling, out);
            self.stop_tasks("the job was cancelled", out);
        }
    }

    fn suspend(&mut self, out: &mut Vec<Action>) {
        if !self.status.is_terminal() {
            self.set_status(JobStatus::Suspended, out);
            self.stop_tasks("the JobManager goes away", out);
        }
    }

    fn stop_tasks(&mut self, reason: &str, out: &mut Vec<Action>) {
        self.await_nothing(out);
        let attempt = self.region.attempt();
        out.push(Action::AttemptStopping { attempt, reason: reason.to_owned() });
        if !self.region.all_ended() {
            self.region.cancel();
            if !self.region.all_ended() {
                out.push(Action::CancelTasks { attempt });
            }
        }
    }

    fn finish(&mut self, checkpoint: CheckpointId, out: &mut Vec<Action>) {
        if self.status == JobStatus::Running && self.last_checkpoint.is_none() {
            self.last_checkpoint = Some(checkpoint);
            out.push(Action::FinishTasks { attempt: self.region.attempt(), checkpoint });
        }
    }

    fn request_restore_point(&mut self, out: &mut Vec<Action>) {
        self.restart_at = None;
        self.awaits = Awaits::RestorePoint;
        out.push(Action::RequestRestorePoint);
    }

    fn await_nothing(&mut self, out: &mut Vec<Action>) {
        if let Awaits::Slots { .. } = std::mem::replace(&mut self.awaits, Awaits::Nothing) {
            out.push(Action::WithdrawSlots);
        }
    }

    fn slots_granted(&mut self, out: &mut Vec<Action>) {
        match std::mem::replace(&mut self.awaits, Awaits::Nothing) {
            Awaits::Slots { restore, .. } => self.deploy(restore, out),
            // A grant that was in progress when the job stopped waiting.
            other @ (Awaits::Nothing | Awaits::RestorePoint) => self.awaits = other,
        }
    }

    fn slots_missing(&mut self, reason: String, hopeless: bool, now: Timestamp, out: &mut Vec<Action>) {
        let Awaits::Slots { missing, .. } = &mut self.awaits else { return };
        // To a job that has run the slots may come back; one that never had them need not wait.
        if hopeless && self.region.attempt() == Attempt(0) {
            return self.fail(Failure { reason, retryable: false }, now, out);
        }
        *missing = Some(reason);
    }

    fn task_manager_lost(
        &mut self,
        attempt: Attempt,
        tasks: &[TaskId],
        reason: String,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let mut hit = false;
        for task in tasks {
            hit |= self.region.report(attempt, *task, ExecutionState::Failed);
        }
        if hit && self.status == JobStatus::Running {
            self.fail(Failure { reason, retryable: true }, now, out);
        }
    }

    fn deploy(&mut self, restore: Option<RestorePoint>, out: &mut Vec<Action>) {
        self.started = false;
        self.drained = false;
        self.last_checkpoint = None;
        self.uncommitted = self.commits;
        self.region.deploy();
        self.set_status(JobStatus::Running, out);
        out.push(Action::Deploy {
            attempt: self.region.attempt(),
            tasks: self.region.tasks().to_vec(),
            restore,
        });
    }

    /// What follows from the state that the event has led to.
    fn advance(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if let Awaits::Slots { until, missing, .. } = &mut self.awaits
            && *until <= now
        {
            let waited = self.slot_timeout;
            let why = missing.take().unwrap_or_else(|| "no slots were granted".to_owned());
            let reason = format!("{why}; the job has waited for {waited} ms ('slot.request.timeout')");
            self.fail(Failure { reason, retryable: true }, now, out);
        }
        let attempt = self.region.attempt();
        match self.status {
            JobStatus::Running => {
                if !self.started && self.region.all_running() {
                    self.started = true;
                    self.restart.running(now);
                    out.push(Action::AttemptRunning { attempt, tasks: self.region.tasks().to_vec() });
                }
                if self.started && !self.drained && self.region.all_drained() {
                    self.drained = true;
                    out.push(Action::AllDrained { attempt });
                }
                if self.region.all_finished() && !self.uncommitted {
                    self.set_status(JobStatus::Finished, out);
                }
            }
            JobStatus::Failing if self.region.all_ended() => self.set_status(JobStatus::Failed, out),
            JobStatus::Cancelling if self.region.all_ended() => self.set_status(JobStatus::Canceled, out),
            JobStatus::Restarting
                if self.region.all_ended() && self.restart_at.is_some_and(|at| at <= now) =>
            {
                self.request_restore_point(out);
            }
            // Not all tasks have ended, it is not time yet, or nothing follows by itself.
            JobStatus::Failing | JobStatus::Cancelling | JobStatus::Restarting => {}
            JobStatus::Initializing | JobStatus::Created => {}
            JobStatus::Failed | JobStatus::Canceled | JobStatus::Finished | JobStatus::Suspended => {}
        }
        if self.status.is_terminal() && self.region.all_ended() && !self.ended {
            self.ended = true;
            let reason = match self.status {
                JobStatus::Failed => self.failure.clone(),
                JobStatus::Canceled => Some("the job was cancelled".to_owned()),
                JobStatus::Suspended => Some("the JobManager goes away".to_owned()),
                JobStatus::Initializing
                | JobStatus::Created
                | JobStatus::Running
                | JobStatus::Failing
                | JobStatus::Cancelling
                | JobStatus::Restarting
                | JobStatus::Finished => None,
            };
            out.push(Action::JobTerminal { status: self.status, reason });
        }
    }

    fn set_status(&mut self, status: JobStatus, out: &mut Vec<Action>) {
        if self.status != status {
            self.status = status;
            out.push(Action::StatusChanged(status));
        }
    }

    /// The next number in -1..1 (SplitMix64).
    fn jitter(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
