//! The state machine of a job.

use flott_types::{CheckpointId, Timestamp};

use super::api::{Action, Event, Failure};
use super::{ExecutionState, JobStatus};
use crate::coordinator::RestorePoint;
use crate::failover::Region;
use crate::restart::{Decision, Restart, Strategy};
use crate::{Attempt, TaskId};

/// When a job that scales does so, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scaling {
    /// How long it waits for all that it wishes, once there is enough.
    pub settle: i64,
    /// How long more slots have to be there before it is stopped for them.
    pub settle_running: i64,
    /// How long it runs at least before that.
    pub cooldown: i64,
}

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
    scaling: Option<Scaling>,
    deployed_at: Timestamp,
    /// It is to be sized anew then.
    grows_at: Option<Timestamp>,
    /// It is, with the next checkpoint.
    grows: bool,
    /// Its next attempt takes what there is.
    takes_what_there_is: bool,
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
        /// When it goes on with fewer.
        fewer_at: Option<Timestamp>,
    },
    Size,
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
            scaling: None,
            deployed_at: 0,
            grows_at: None,
            grows: false,
            takes_what_there_is: false,
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

    /// Says whether, and when, the job runs with fewer tasks than it wishes, or with more than before.
    #[must_use]
    pub fn that_scales(self, scaling: Option<Scaling>) -> Self {
        Execution { scaling, ..self }
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
        if let Awaits::Slots { until, fewer_at, .. } = &self.awaits {
            return Some(fewer_at.map_or(*until, |at| at.min(*until)));
        }
        if self.status == JobStatus::Running {
            return self.grows_at.filter(|_| !self.grows);
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
                self.awaits = Awaits::Slots { restore, until, missing: None, fewer_at: None };
                out.push(Action::RequestSlots);
            }
            Event::SlotsGranted => self.slots_granted(now, out),
            Event::SlotsMissing { reason, hopeless, enough } => {
                self.slots_missing(reason, hopeless, enough, now, out);
            }
            Event::Resized(tasks) if self.awaits == Awaits::Size => {
                self.region.resize(tasks);
                self.request_restore_point(out);
            }
            Event::CouldGrow(more) => self.could_grow(more, now),
            Event::Rescale => self.rescale(out),
            Event::CheckpointCompleted => self.grow(now, out),
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
            Event::Start | Event::RestorePoint(_) | Event::Resized(_) | Event::Tick => {}
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

    fn slots_granted(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        match std::mem::replace(&mut self.awaits, Awaits::Nothing) {
            Awaits::Slots { restore, .. } => self.deploy(restore, now, out),
            // A grant that was in progress when the job stopped waiting.
            other @ (Awaits::Nothing | Awaits::RestorePoint | Awaits::Size) => self.awaits = other,
        }
    }

    fn slots_missing(
        &mut self,
        reason: String,
        hopeless: bool,
        enough: bool,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let Awaits::Slots { missing, fewer_at, .. } = &mut self.awaits else { return };
        let Some(scaling) = &self.scaling else {
            // To a job that has run the slots may come back; one that never had them need not wait.
            if hopeless && self.region.attempt() == Attempt(0) {
                return self.fail(Failure { reason, retryable: false }, now, out);
            }
            *missing = Some(reason);
            return;
        };
        *missing = Some(reason);
        let since = fewer_at.unwrap_or_else(|| now.saturating_add(scaling.settle));
        *fewer_at = enough.then_some(since);
    }

    fn could_grow(&mut self, more: bool, now: Timestamp) {
        let Some(scaling) = &self.scaling else { return };
        let earliest =
            now.saturating_add(scaling.settle_running).max(self.deployed_at.saturating_add(scaling.cooldown));
        let at = self.grows_at.unwrap_or(earliest);
        self.grows_at = more.then_some(at);
    }

    /// What was wished has changed.
    fn rescale(&mut self, out: &mut Vec<Action>) {
        match (self.status, &self.awaits) {
            (JobStatus::Running, _) => self.grows = true,
            (_, Awaits::Slots { .. }) => self.resize(true, out),
            // The next attempt is sized anyway, or there is none.
            (_, Awaits::Nothing | Awaits::RestorePoint | Awaits::Size) => {}
        }
    }

    /// It is stopped for other tasks, where nothing has to be done again.
    fn grow(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let goes_on = self.status == JobStatus::Running && self.started && !self.drained;
        if goes_on && self.grows && self.last_checkpoint.is_none() {
            self.takes_what_there_is = true;
            self.restart_at = Some(now);
            self.set_status(JobStatus::Restarting, out);
            self.stop_tasks("it is rescaled", out);
        }
    }

    fn resize(&mut self, wished: bool, out: &mut Vec<Action>) {
        self.restart_at = None;
        self.awaits = Awaits::Size;
        out.push(Action::Resize { wished });
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

    fn deploy(&mut self, restore: Option<RestorePoint>, now: Timestamp, out: &mut Vec<Action>) {
        self.deployed_at = now;
        self.grows_at = None;
        self.grows = false;
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
        if let Awaits::Slots { fewer_at: Some(at), .. } = &self.awaits
            && *at <= now
        {
            self.resize(false, out);
        }
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
                self.grows |= self.grows_at.is_some_and(|at| at <= now);
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
                let wished = !std::mem::take(&mut self.takes_what_there_is);
                match self.scaling {
                    Some(_) => self.resize(wished, out),
                    None => self.request_restore_point(out),
                }
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
