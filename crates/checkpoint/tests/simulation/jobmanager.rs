//! The driver of the JobManager's machines: messages, storage, and what each action means.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use flott_checkpoint::commit::{CommitOutcome, CommitRequest};
use flott_checkpoint::coordinator::{self, CompletedSnapshot, Coordinator, RestorePoint};
use flott_checkpoint::execution::{self, Execution, Failure};
use flott_checkpoint::resources::{self, LeaderId, Resources, Slot, TaskManagerId};
use flott_checkpoint::restart::Strategy;
use flott_checkpoint::{Attempt, Barrier, JobStatus, RequestId, TaskId};
use flott_types::{CheckpointId, Error, JobId};
use rand::Rng;

use crate::durable::{Beginning, Point};
use crate::global::{Globals, Uncommitted};
use crate::job::Job;
use crate::task::{Handle, State};
use crate::taskmanager::{FromTaskManager, ToTaskManager};
use crate::weather::{Mutation, SCALING};
use crate::world::World;

/// The job that is looked at, and one that takes slots from it.
pub const JOB: JobId = JobId(1);
pub const COMPETITOR: JobId = JobId(2);
/// `slot.request.timeout`
const SLOT_TIMEOUT: i64 = 300;

/// What the JobManager tells a task.
#[derive(Clone)]
pub enum Control {
    Deploy { state: Option<State>, drained: bool },
    Cancel,
    Trigger(Barrier),
    Complete(CheckpointId),
    Aborted(CheckpointId),
    Drain,
    Finish(CheckpointId),
}

pub enum Message {
    ToTask {
        slot: Slot,
        attempt: Attempt,
        task: usize,
        control: Control,
    },
    Report {
        from: Slot,
        event: execution::Event,
    },
    Checkpoint {
        from: Slot,
        event: coordinator::Event<State>,
    },
    Write {
        leader: u64,
        snapshot: CompletedSnapshot<State>,
        commits: Uncommitted,
    },
    /// A subtask has committed its own.
    Confirmed {
        from: Slot,
        attempt: Attempt,
        task: TaskId,
        checkpoint: CheckpointId,
    },
    /// To the global committer of a sink.
    Commit {
        leader: u64,
        vertex: u32,
        round: u64,
        requests: Vec<CommitRequest<Handle>>,
    },
    /// From it.
    CommitAnswer {
        leader: u64,
        vertex: u32,
        round: u64,
        answer: Result<Vec<CommitOutcome>, Error>,
    },
    Written {
        leader: u64,
        event: coordinator::Event<State>,
    },
    ToTaskManager {
        to: TaskManagerId,
        what: ToTaskManager,
    },
    FromTaskManager {
        from: TaskManagerId,
        what: FromTaskManager,
    },
}

pub enum Input {
    Coordinator(coordinator::Event<State>),
    Execution(execution::Event),
    Resources(resources::Event),
    Confirmed { attempt: Attempt, task: TaskId, checkpoint: CheckpointId },
    CommitAnswer { vertex: u32, round: u64, answer: Result<Vec<CommitOutcome>, Error> },
}

/// One JobManager. Who leads is decided elsewhere; one that was deposed may not know it.
pub struct JobManager {
    pub leader: u64,
    pub coordinator: Coordinator<State>,
    pub execution: Execution,
    pub resources: Resources,
    /// The slots of the job.
    pub slots: Vec<Option<Slot>>,
    pub terminal: Option<JobStatus>,
    /// The job finishes with it.
    pub last: Option<CheckpointId>,
    /// How often each request was answered.
    pub requests: BTreeMap<RequestId, u32>,
    /// Those of them that ask for the end of the job.
    pub stops: BTreeSet<RequestId>,
    /// What is committed for the job.
    pub global: Globals,
}

impl JobManager {
    /// The first one, of a job that has nothing to continue from.
    pub fn first(
        job: &Job,
        config: &coordinator::Config,
        strategy: &Strategy,
        resources: resources::Config,
    ) -> Self {
        let ids = job.tasks.iter().map(|t| t.id).collect();
        JobManager {
            leader: 1,
            coordinator: Coordinator::new(config.clone(), CheckpointId(1), []),
            execution: Execution::new(ids, strategy.clone(), Attempt(0), SLOT_TIMEOUT, 7)
                .that_commits(job.global_sinks().next().is_some())
                .that_scales(SCALING),
            resources: Resources::new(resources, LeaderId(1), 0),
            slots: Vec::new(),
            terminal: None,
            last: None,
            requests: BTreeMap::new(),
            stops: BTreeSet::new(),
            global: Globals::new(job),
        }
    }

    pub fn next_deadline(&self) -> Option<i64> {
        let deadlines = [
            self.coordinator.next_deadline(),
            self.execution.next_deadline(),
            self.resources.next_deadline(),
            self.global.next_time(),
        ];
        deadlines.into_iter().flatten().min()
    }
}

impl World {
    pub fn make_jobmanager(&self, leader: u64) -> JobManager {
        let mut next_id = CheckpointId(self.storage.next_id);
        if self.mutation == Mutation::ReuseIds {
            next_id = CheckpointId(1);
        }
        let point = |(id, point): (&CheckpointId, &Point)| RestorePoint {
            checkpoint: *id,
            savepoint: point.savepoint.clone(),
            drained: point.drained,
        };
        let points: Vec<_> = self.storage.points.iter().map(point).collect();
        let ids = self.job.tasks.iter().map(|t| t.id).collect();
        let strategy = self.strategy.clone();
        JobManager {
            leader,
            coordinator: Coordinator::new(self.config.clone(), next_id, points),
            execution: Execution::new(ids, strategy, self.storage.attempt, SLOT_TIMEOUT, 7)
                .that_commits(
                    self.job.global_sinks().next().is_some() && self.mutation != Mutation::GlobalUnawaited,
                )
                .that_scales(SCALING),
            resources: Resources::new(self.resources_config, LeaderId(leader), self.now),
            ..JobManager::first(&self.job, &self.config, &self.strategy, self.resources_config)
        }
    }

    /// The JobManager is replaced: after a crash, or because it was taken for dead (`lives`), or to continue
    /// from the savepoint that the job was stopped with.
    pub fn new_jobmanager(&mut self, start_from: Option<Beginning>, lives: bool) -> Result<(), String> {
        if let Some(beginning) = start_from {
            self.storage.initial = Some(beginning);
        }
        let next = self.make_jobmanager(self.jm.leader + 1);
        let old = std::mem::replace(&mut self.jm, next);
        if !lives {
            self.lose_commits(old.leader);
        }
        if lives {
            self.stats.deposed += 1;
            self.deposed.push(old);
        }
        for at in 0..self.task_managers.len() {
            self.send_down(TaskManagerId(at as u32), ToTaskManager::Leader(LeaderId(self.jm.leader)));
        }
        self.jobmanager(Input::Execution(execution::Event::Start))
    }

    /// What was being written has landed before the new one looked, or is refused.
    pub fn land_writes(&mut self) {
        for at in (0..self.messages.len()).rev() {
            let current = self.jm.leader;
            if matches!(&self.messages[at], Message::Write { leader, .. } if *leader == current)
                && self.rng.random_bool(0.5)
                && let Message::Write { leader, snapshot, commits } = self.messages.swap_remove(at)
            {
                let event = coordinator::Event::StoreCompleted(snapshot.checkpoint);
                self.store(&snapshot, &commits);
                self.messages.push(Message::Written { leader, event });
            }
        }
    }

    /// Something for the JobManager of that number, if there is one.
    pub fn with_leader(&mut self, leader: u64, input: Input) -> Result<(), String> {
        if self.jm.leader == leader {
            return self.jobmanager(input);
        }
        let Some(at) = self.deposed.iter().position(|old| old.leader == leader) else { return Ok(()) };
        self.as_deposed(at, input)
    }

    pub fn as_deposed(&mut self, at: usize, input: Input) -> Result<(), String> {
        std::mem::swap(&mut self.jm, &mut self.deposed[at]);
        self.is_deposed = true;
        let result = self.jobmanager(input);
        self.is_deposed = false;
        std::mem::swap(&mut self.jm, &mut self.deposed[at]);
        result.map_err(|error| format!("a JobManager that was deposed: {error}"))
    }

    /// The driver: executes the actions of the machines until nothing follows.
    pub fn jobmanager(&mut self, input: Input) -> Result<(), String> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            match input {
                Input::Coordinator(event) => {
                    let actions = self.jm.coordinator.step(event, self.now);
                    if !self.is_deposed {
                        self.storage.next_id = self.storage.next_id.max(self.jm.coordinator.next_id().0);
                    }
                    for action in actions {
                        self.trace(&action);
                        self.checkpoint_action(action, &mut inputs)?;
                    }
                }
                Input::Execution(event) => {
                    self.leaves(&event);
                    let actions = self.jm.execution.step(event, self.now);
                    if !self.is_deposed {
                        self.storage.attempt = self.jm.execution.region().attempt();
                    }
                    for action in actions {
                        self.trace(&action);
                        self.execution_action(action, &mut inputs)?;
                    }
                }
                Input::Resources(event) => {
                    for action in self.jm.resources.step(event, self.now) {
                        self.trace(&action);
                        self.resource_action(action, &mut inputs);
                    }
                    self.check_owners()?;
                }
                Input::Confirmed { attempt, task, checkpoint } => {
                    if attempt == self.jm.execution.region().attempt() {
                        self.jm.global.confirmed(task, checkpoint);
                    }
                }
                Input::CommitAnswer { vertex, round, answer } => {
                    if let Err(error) = self.jm.global.answered(vertex, round, answer, self.now) {
                        let failure = Failure { reason: error.to_string(), retryable: error.is_retryable() };
                        inputs.push_back(Input::Execution(execution::Event::Fail(failure)));
                    }
                }
            }
            if inputs.is_empty() {
                self.commit_due();
                inputs.extend(self.commits_end());
            }
        }
        match self.jm.terminal {
            _ if self.is_deposed => Ok(()),
            Some(JobStatus::Finished) if self.jm.coordinator.is_writing() => Ok(()),
            Some(JobStatus::Finished) => self.job_finished(),
            Some(status) => self.job_failed(status),
            None => Ok(()),
        }
    }

    pub fn checkpoint_action(
        &mut self,
        action: coordinator::Action<State>,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        use coordinator::Action;
        match action {
            Action::Trigger { barrier, .. } => {
                if !self.is_deposed {
                    if barrier.checkpoint <= self.triggered {
                        return Err(format!("checkpoint id {} is used twice", barrier.checkpoint));
                    }
                    self.triggered = barrier.checkpoint;
                }
                self.broadcast(&Control::Trigger(barrier), true);
            }
            Action::WriteManifest(snapshot) => {
                let acked = snapshot.snapshots.iter().map(|(task, _)| *task);
                if !self.is_deposed && !acked.eq(self.job.tasks.iter().map(|spec| spec.id)) {
                    return Err("a snapshot lacks tasks".into());
                }
                if self.mutation == Mutation::NotifyBeforeDurable {
                    self.broadcast(&Control::Complete(snapshot.checkpoint), true);
                }
                let commits = self.acknowledged(&snapshot);
                self.messages.push(Message::Write { leader: self.jm.leader, snapshot, commits });
            }
            Action::NotifyComplete(checkpoint) => {
                inputs.push_back(Input::Execution(execution::Event::CheckpointCompleted));
                if !self.is_deposed {
                    if !self.storage.points.contains_key(&checkpoint) {
                        return Err(format!("checkpoint {checkpoint} is told complete, but is not durable"));
                    }
                    if checkpoint <= self.notified {
                        return Err(format!(
                            "checkpoint {checkpoint} is told complete after {}",
                            self.notified
                        ));
                    }
                    self.notified = checkpoint;
                    self.stats.completed += 1;
                }
                self.broadcast(&Control::Complete(checkpoint), true);
                self.jm.global.complete(checkpoint, self.mutation);
            }
            Action::NotifyAborted(checkpoint) => {
                self.stats.aborted += 1;
                self.broadcast(&Control::Aborted(checkpoint), false);
            }
            // Storage looks at the lease.
            Action::Discard(_) if self.is_deposed => {}
            Action::Discard(checkpoint) => match self.storage.points.remove(&checkpoint) {
                Some(Point { savepoint: None, .. }) => {}
                Some(Point { savepoint: Some(savepoint), .. }) => {
                    return Err(format!("the savepoint '{savepoint}' was discarded"));
                }
                None => return Err(format!("checkpoint {checkpoint} was discarded twice")),
            },
            Action::FailJob(reason) => {
                let failure = Failure { reason, retryable: true };
                inputs.push_back(Input::Execution(execution::Event::Fail(failure)));
            }
            Action::RequestDone { request, .. } if self.jm.stops.contains(&request) => {
                if self.jm.terminal != Some(JobStatus::Finished) {
                    return Err("a stop is answered before the job has ended".into());
                }
                self.answered(request);
            }
            Action::RequestDone { request, .. } | Action::RequestFailed { request, .. } => {
                self.answered(request);
            }
            Action::DrainSources => self.broadcast(&Control::Drain, false),
            // Storage looks at the lease before anything is deployed.
            Action::Restore(_) if self.is_deposed => self.lease_is_lost(inputs),
            Action::Restore(point) => {
                inputs.push_back(Input::Execution(execution::Event::RestorePoint(point)));
            }
            Action::Finish(checkpoint) => {
                self.jm.last = Some(checkpoint);
                inputs.push_back(Input::Execution(execution::Event::LastCheckpointCompleted(checkpoint)));
            }
        }
        Ok(())
    }

    pub fn lease_is_lost(&self, inputs: &mut VecDeque<Input>) {
        let failure = Failure { reason: "another JobManager runs the job".into(), retryable: false };
        inputs.push_back(Input::Execution(execution::Event::Fail(failure)));
    }

    fn answered(&mut self, request: RequestId) {
        if let Some(answers) = self.jm.requests.get_mut(&request) {
            *answers += 1;
        }
    }

    pub fn execution_action(
        &mut self,
        action: execution::Action,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        use execution::Action;
        let mut tell = |event| inputs.push_back(Input::Coordinator(event));
        match action {
            Action::StatusChanged(_) => {}
            Action::ScheduleRestart { .. } => self.stats.restarts += 1,
            Action::RequestSlots => {
                let needed = self.job.width();
                let event = resources::Event::Request { job: JOB, name: "job".into(), needed };
                inputs.push_back(Input::Resources(event));
            }
            // What a job is sized to is decided elsewhere; that it is, by the machine.
            Action::Resize { .. } => {
                let tasks = self.jm.execution.region().tasks().to_vec();
                inputs.push_back(Input::Execution(execution::Event::Resized(tasks)));
            }
            Action::WithdrawSlots => {
                inputs.push_back(Input::Resources(resources::Event::Withdraw { job: JOB }));
            }
            Action::RequestRestorePoint => tell(coordinator::Event::RestoreRequested),
            Action::AttemptRunning { attempt, tasks } => {
                self.jm.global.running();
                tell(coordinator::Event::JobStarted { attempt, tasks })
            }
            Action::AttemptStopping { attempt, reason } => {
                self.jm.global.last = None;
                tell(coordinator::Event::JobStopping { attempt, reason })
            }
            Action::AllDrained { attempt } => tell(coordinator::Event::AllTasksDrained { attempt }),
            Action::JobTerminal { status, .. } => {
                self.jm.terminal = Some(status);
                tell(coordinator::Event::JobTerminal(status));
                inputs.push_back(Input::Resources(resources::Event::Release { job: JOB }));
            }
            Action::CancelTasks { .. } => self.broadcast(&Control::Cancel, false),
            Action::FinishTasks { checkpoint, .. } => {
                self.jm.global.last = Some(checkpoint);
                self.broadcast(&Control::Finish(checkpoint), false);
            }
            Action::Deploy { attempt, restore, .. } => self.deploy(attempt, restore)?,
        }
        Ok(())
    }

    fn resource_action(&mut self, action: resources::Action, inputs: &mut VecDeque<Input>) {
        use resources::Action;
        match action {
            Action::Welcome { task_manager, session } => {
                self.send_down(task_manager, ToTaskManager::Welcome(session));
            }
            Action::Heartbeat { task_manager, session } => {
                self.send_down(task_manager, ToTaskManager::Heartbeat(session));
            }
            Action::Dismiss { task_manager, session } => {
                self.send_down(task_manager, ToTaskManager::Dismiss(session));
            }
            Action::Grant { job: JOB, slots } => {
                self.jm.slots = slots.into_iter().map(Some).collect();
                inputs.push_back(Input::Execution(execution::Event::SlotsGranted));
            }
            Action::Short { job: JOB, reason, hopeless, .. } => {
                self.stats.shortages += 1;
                let missing = execution::Event::SlotsMissing { reason, hopeless, enough: false };
                inputs.push_back(Input::Execution(missing));
            }
            Action::Lost { job: JOB, slots, reason, .. } => {
                self.stats.losses += 1;
                for slot in &slots {
                    self.jm.slots[*slot as usize] = None;
                }
                let attempt = self.jm.execution.region().attempt();
                let tasks = self.jm.execution.region().tasks().iter();
                let tasks = tasks.filter(|task| slots.contains(&task.subtask.0)).copied().collect();
                if self.mutation != Mutation::LossUntold {
                    let lost = execution::Event::TaskManagerLost { attempt, tasks, reason };
                    inputs.push_back(Input::Execution(lost));
                }
            }
            Action::Grant { .. } | Action::Short { .. } | Action::Offer { .. } | Action::Lost { .. } => {}
        }
    }

    fn broadcast(&mut self, control: &Control, lossy: bool) {
        for task in 0..self.job.tasks.len() {
            if lossy && self.chance(self.weather.loss) {
                continue;
            }
            if self.chance(self.weather.double) {
                self.tell_task(task, control.clone());
            }
            self.tell_task(task, control.clone());
        }
    }

    /// One whose slot is lost hears nothing any more.
    pub fn tell_task(&mut self, task: usize, control: Control) {
        let attempt = self.jm.execution.region().attempt();
        let subtask = self.job.tasks[task].id.subtask.index();
        if let Some(slot) = self.jm.slots.get(subtask).copied().flatten() {
            self.messages.push(Message::ToTask { slot, attempt, task, control });
        }
    }
}
