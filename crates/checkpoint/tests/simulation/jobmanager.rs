//! The driver of the JobManager's machines: messages, storage, and what each action means.

use std::collections::{BTreeMap, VecDeque};

use flott_checkpoint::coordinator::{self, CompletedSnapshot, Coordinator, RestorePoint};
use flott_checkpoint::execution::{self, Execution, ExecutionState, Failure};
use flott_checkpoint::{Attempt, Barrier, CheckpointKind, JobStatus};
use flott_types::CheckpointId;
use rand::Rng;

use crate::task::{State, Task};
use crate::weather::Mutation;
use crate::world::World;

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
    ToTask { task: usize, attempt: Attempt, control: Control },
    Report(execution::Event),
    Checkpoint(coordinator::Event<State>),
    Write { incarnation: u32, snapshot: CompletedSnapshot<State> },
    Written { incarnation: u32, event: coordinator::Event<State> },
}

pub enum Input {
    Coordinator(coordinator::Event<State>),
    Execution(execution::Event),
}

/// A manifest of what the job can be recovered from.
pub struct Point {
    savepoint: Option<String>,
    kind: CheckpointKind,
    drained: bool,
    states: Vec<State>,
}

/// What is durable.
#[derive(Default)]
pub struct Storage {
    pub points: BTreeMap<CheckpointId, Point>,
    /// The savepoint that the job was started from.
    pub initial: Option<Vec<State>>,
    pub next_id: u64,
    pub attempt: Attempt,
}

impl World {
    /// The JobManager is replaced: after a crash, or to go on from the savepoint that the job was stopped with.
    pub fn new_jobmanager(&mut self, start_from: Option<Vec<State>>) -> Result<(), String> {
        for task in &mut self.tasks {
            task.state = ExecutionState::Failed;
        }
        self.incarnation += 1;
        match start_from {
            Some(states) => self.storage.initial = Some(states),
            None => {
                self.stats.jobmanagers += 1;
                self.requests.clear();
                // What was being written has landed, or never will.
                for at in (0..self.messages.len()).rev() {
                    if matches!(self.messages[at], Message::Write { .. })
                        && let Message::Write { snapshot, .. } = self.messages.swap_remove(at)
                        && self.rng.random()
                    {
                        self.store(&snapshot);
                    }
                }
            }
        }
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
        self.coordinator = Coordinator::new(self.config.clone(), next_id, points);
        self.execution = Execution::new(ids, self.strategy.clone(), self.storage.attempt, 1_000, 7);
        self.terminal = None;
        self.jobmanager(Input::Execution(execution::Event::Start))
    }

    pub fn store(&mut self, snapshot: &CompletedSnapshot<State>) {
        if snapshot.kind.commits() {
            let point = Point {
                savepoint: snapshot.target.clone(),
                kind: snapshot.kind,
                drained: snapshot.drained,
                states: snapshot.snapshots.iter().map(|(_, s)| s.clone()).collect(),
            };
            self.storage.points.insert(snapshot.checkpoint, point);
        }
    }

    /// The driver: executes the actions of both machines until nothing follows.
    pub fn jobmanager(&mut self, input: Input) -> Result<(), String> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            match input {
                Input::Coordinator(event) => {
                    let actions = self.coordinator.step(event, self.now);
                    self.storage.next_id = self.storage.next_id.max(self.coordinator.next_id().0);
                    for action in actions {
                        trace(|| format!("{} {} {action:?}", self.step, self.now));
                        self.checkpoint_action(action, &mut inputs)?;
                    }
                }
                Input::Execution(event) => {
                    let actions = self.execution.step(event, self.now);
                    self.storage.attempt = self.execution.region().attempt();
                    for action in actions {
                        trace(|| format!("{} {} {action:?}", self.step, self.now));
                        self.execution_action(action, &mut inputs)?;
                    }
                }
            }
        }
        match self.terminal {
            Some(JobStatus::Finished) if self.coordinator.is_writing() => Ok(()),
            Some(JobStatus::Finished) => self.job_finished(),
            Some(status) => Err(format!("the job ended as {status}: {:?}", self.execution.failure())),
            None => Ok(()),
        }
    }

    pub fn job_finished(&mut self) -> Result<(), String> {
        if let Some((id, _)) = self.storage.points.iter().find(|(_, p)| p.savepoint.is_none()) {
            return Err(format!("checkpoint {id} is left behind by a finished job"));
        }
        let last = self.last.and_then(|last| self.storage.points.remove(&last));
        self.storage.points.clear();
        if let Some(point) = last {
            self.stats.stops += 1;
            if point.kind == CheckpointKind::Suspend {
                self.restored = CheckpointId(0);
                return self.new_jobmanager(Some(point.states));
            }
            self.records = positions(&point.states);
        }
        self.finished = true;
        Ok(())
    }

    pub fn checkpoint_action(
        &mut self,
        action: coordinator::Action<State>,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        use coordinator::Action;
        match action {
            Action::Trigger { barrier, .. } => {
                if barrier.checkpoint <= self.triggered {
                    return Err(format!("checkpoint id {} is used twice", barrier.checkpoint));
                }
                self.triggered = barrier.checkpoint;
                self.broadcast(Control::Trigger(barrier), true);
            }
            Action::WriteManifest(snapshot) => {
                if snapshot.snapshots.len() != self.job.tasks.len() {
                    return Err("a snapshot lacks tasks".into());
                }
                if self.mutation == Mutation::NotifyBeforeDurable {
                    self.broadcast(Control::Complete(snapshot.checkpoint), true);
                }
                self.messages.push(Message::Write { incarnation: self.incarnation, snapshot });
            }
            Action::NotifyComplete(checkpoint) => {
                if !self.storage.points.contains_key(&checkpoint) {
                    return Err(format!("checkpoint {checkpoint} is told complete, but is not durable"));
                }
                if checkpoint <= self.notified {
                    return Err(format!("checkpoint {checkpoint} is told complete after {}", self.notified));
                }
                self.notified = checkpoint;
                self.stats.completed += 1;
                self.broadcast(Control::Complete(checkpoint), true);
            }
            Action::NotifyAborted(checkpoint) => {
                self.stats.aborted += 1;
                self.broadcast(Control::Aborted(checkpoint), false);
            }
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
            Action::RequestDone { request, .. } if self.stops.contains(&request) => {
                if self.terminal != Some(JobStatus::Finished) {
                    return Err("a stop is answered before the job has ended".into());
                }
                if let Some(answers) = self.requests.get_mut(&request) {
                    *answers += 1;
                }
            }
            Action::RequestDone { request, .. } | Action::RequestFailed { request, .. } => {
                if let Some(answers) = self.requests.get_mut(&request) {
                    *answers += 1;
                }
            }
            Action::DrainSources => self.broadcast(Control::Drain, false),
            Action::Restore(point) => {
                inputs.push_back(Input::Execution(execution::Event::RestorePoint(point)));
            }
            Action::Finish(checkpoint) => {
                self.last = Some(checkpoint);
                inputs.push_back(Input::Execution(execution::Event::LastCheckpointCompleted(checkpoint)));
            }
        }
        Ok(())
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
            Action::RequestSlots => inputs.push_back(Input::Execution(execution::Event::SlotsGranted)),
            Action::WithdrawSlots => {}
            Action::RequestRestorePoint => tell(coordinator::Event::RestoreRequested),
            Action::AttemptRunning { attempt, tasks } => {
                tell(coordinator::Event::JobStarted { attempt, tasks })
            }
            Action::AttemptStopping { attempt, reason } => {
                tell(coordinator::Event::JobStopping { attempt, reason })
            }
            Action::AllDrained { attempt } => tell(coordinator::Event::AllTasksDrained { attempt }),
            Action::JobTerminal { status, .. } => {
                self.terminal = Some(status);
                tell(coordinator::Event::JobTerminal(status));
            }
            Action::CancelTasks { .. } => self.broadcast(Control::Cancel, false),
            Action::FinishTasks { checkpoint, .. } => self.broadcast(Control::Finish(checkpoint), false),
            Action::Deploy { attempt, restore, .. } => self.deploy(attempt, restore)?,
        }
        Ok(())
    }

    pub fn deploy(&mut self, attempt: Attempt, restore: Option<RestorePoint>) -> Result<(), String> {
        if let Some(task) = self.tasks.iter().position(|t| !t.state.is_terminal()) {
            return Err(format!("attempt {attempt} is deployed while task {task} of the last one is alive"));
        }
        let mut drained = false;
        let states = match restore {
            Some(RestorePoint { checkpoint, drained: at_end, .. }) => {
                drained = at_end;
                if checkpoint < self.restored {
                    return Err(format!("restored {checkpoint} after {}", self.restored));
                }
                self.restored = checkpoint;
                match self.storage.points.get(&checkpoint) {
                    Some(point) => Some(point.states.clone()),
                    None => {
                        return Err(format!("checkpoint {checkpoint} is to be restored, but is not there"));
                    }
                }
            }
            None => self.storage.initial.clone(),
        };
        if let (true, Some(states)) = (drained, &states) {
            self.records = positions(states);
        }
        let mode = self.config.mode;
        self.tasks = self.job.tasks.iter().map(|spec| Task::new(spec, attempt, mode)).collect();
        for task in 0..self.tasks.len() {
            let control = Control::Deploy { state: states.as_ref().map(|s| s[task].clone()), drained };
            self.messages.push(Message::ToTask { task, attempt, control });
        }
        Ok(())
    }

    pub fn broadcast(&mut self, control: Control, lossy: bool) {
        let attempt = self.execution.region().attempt();
        for task in 0..self.tasks.len() {
            if lossy && self.chance(self.weather.loss) {
                continue;
            }
            if self.chance(self.weather.double) {
                self.messages.push(Message::ToTask { task, attempt, control: control.clone() });
            }
            self.messages.push(Message::ToTask { task, attempt, control: control.clone() });
        }
    }
}

fn positions(states: &[State]) -> Vec<u32> {
    states.iter().map(|s| s.position).collect()
}

/// With `FLOTT_SIM_TRACE` set, what the machines decide.
fn trace(line: impl Fn() -> String) {
    static ON: std::sync::LazyLock<bool> =
        std::sync::LazyLock::new(|| std::env::var_os("FLOTT_SIM_TRACE").is_some());
    if *ON {
        println!("{}", line());
    }
}
