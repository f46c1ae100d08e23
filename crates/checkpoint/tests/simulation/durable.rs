//! What is durable, what an attempt starts from, and how a job ends.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use flott_checkpoint::coordinator::{CompletedSnapshot, RestorePoint};
use flott_checkpoint::resources::Slot;
use flott_checkpoint::{Attempt, CheckpointKind, JobStatus};
use flott_types::CheckpointId;
use rand::Rng;

use crate::global::Uncommitted;
use crate::jobmanager::Control;
use crate::task::{Handle, State, Task};
use crate::world::{Generation, World};

/// This many attempts may have tasks that live.
const REMEMBERED: usize = 8;

/// A manifest of what the job can be recovered from.
pub struct Point {
    pub savepoint: Option<String>,
    kind: CheckpointKind,
    pub drained: bool,
    states: Vec<State>,
    commits: Uncommitted,
}

/// What a job starts from.
#[derive(Clone)]
pub struct Beginning {
    pub states: Vec<State>,
    pub commits: Uncommitted,
}

/// What is durable.
#[derive(Default)]
pub struct Storage {
    pub points: BTreeMap<CheckpointId, Point>,
    /// The savepoint that the job was started from.
    pub initial: Option<Beginning>,
    pub next_id: u64,
    pub attempt: Attempt,
}

impl World {
    pub fn store(&mut self, snapshot: &CompletedSnapshot<State>, commits: &Uncommitted) {
        if snapshot.kind.commits() {
            let point = Point {
                savepoint: snapshot.target.clone(),
                kind: snapshot.kind,
                drained: snapshot.drained,
                states: snapshot.snapshots.iter().map(|(_, s)| s.clone()).collect(),
                commits: commits.clone(),
            };
            self.storage.points.insert(snapshot.checkpoint, point);
        }
    }

    /// Nothing that was granted is granted twice.
    pub fn check_owners(&self) -> Result<(), String> {
        let members: Vec<_> = self.jm.resources.members().collect();
        for (task_manager, session) in members {
            let owners = self.jm.resources.owners(Slot { task_manager, session });
            let slots = self.task_managers.get(task_manager.0 as usize).map_or(0, |manager| manager.slots);
            if owners > slots as usize {
                return Err(format!("{slots} slots of TaskManager {} have {owners} owners", task_manager.0));
            }
        }
        Ok(())
    }

    /// Only one way to fail is allowed: it is said that there were no slots, and nothing was ever deployed.
    pub fn job_failed(&mut self, status: JobStatus) -> Result<(), String> {
        let why = self.jm.execution.failure().unwrap_or_default().to_owned();
        let named = why.contains("NoResourceAvailableException");
        if status == JobStatus::Failed && named && (self.never_ran() || self.gives_up) {
            self.stats.no_slots += 1;
            self.finished = true;
            self.failed = true;
            return Ok(());
        }
        Err(format!("the job ended as {status}: {why}"))
    }

    fn never_ran(&self) -> bool {
        self.generations.is_empty() && self.storage.initial.is_none() && self.sink.rows().is_empty()
    }

    pub fn job_finished(&mut self) -> Result<(), String> {
        if let Some((id, _)) = self.storage.points.iter().find(|(_, p)| p.savepoint.is_none()) {
            return Err(format!("checkpoint {id} is left behind by a finished job"));
        }
        let last = self.jm.last.and_then(|last| self.storage.points.remove(&last));
        self.storage.points.clear();
        if let Some(point) = last {
            self.stats.stops += 1;
            if point.kind == CheckpointKind::Suspend {
                self.restored = CheckpointId(0);
                return self.go_on_from(Beginning { states: point.states, commits: point.commits });
            }
            self.records = positions(&point.states);
        }
        self.finished = true;
        Ok(())
    }

    /// Perhaps at another parallelism.
    fn go_on_from(&mut self, beginning: Beginning) -> Result<(), String> {
        let Beginning { mut states, commits } = beginning;
        if self.rng.random_bool(0.6)
            && let Some((job, dealt)) = self.job.rescaled(&mut self.rng, &states)
        {
            self.stats.rescales += 1;
            self.records = job.tasks.iter().map(|task| task.records).collect();
            self.job = Rc::new(job);
            states = dealt;
        }
        self.new_jobmanager(Some(Beginning { states, commits }), false)
    }

    /// The job is started again from its last checkpoint, at another parallelism, by another JobManager.
    pub fn rescale(&mut self) -> Result<(), String> {
        self.land_writes();
        let last = self.storage.points.last_key_value();
        let last = last.filter(|(_, point)| !point.drained && point.savepoint.is_none());
        let Some((id, states)) = last.map(|(id, point)| (*id, point.states.clone())) else { return Ok(()) };
        let Some((job, dealt)) = self.job.rescaled(&mut self.rng, &states) else { return Ok(()) };
        self.stats.rescales += 1;
        self.stats.replayed_elsewhere += u32::from(dealt.iter().any(|state| !state.in_flight.is_empty()));
        self.records = job.tasks.iter().map(|task| task.records).collect();
        self.job = Rc::new(job);
        // Those before it are of another parallelism.
        self.storage.points.retain(|other, _| *other == id);
        self.storage.initial = None;
        if let Some(point) = self.storage.points.get_mut(&id) {
            point.states = dealt;
        }
        self.new_jobmanager(None, false)
    }

    pub fn deploy(&mut self, attempt: Attempt, restore: Option<RestorePoint>) -> Result<(), String> {
        let leader = self.jm.leader;
        let members: Vec<_> = self.jm.resources.members().collect();
        for old in self.generations.iter().filter(|old| old.leader == leader) {
            let known = |task: &Task| members.contains(&(task.slot.task_manager, task.slot.session));
            if let Some(task) = old.tasks.iter().position(|t| !t.state.is_terminal() && known(t)) {
                return Err(format!(
                    "attempt {attempt} is deployed while task {task} of {} is alive",
                    old.attempt
                ));
            }
        }
        let mut drained = false;
        let restored = restore.as_ref().map(|point| point.checkpoint);
        let beginning = match restore {
            Some(RestorePoint { checkpoint, drained: at_end, .. }) => {
                drained = at_end;
                if checkpoint < self.restored {
                    return Err(format!("restored {checkpoint} after {}", self.restored));
                }
                self.restored = checkpoint;
                match self.storage.points.get(&checkpoint) {
                    Some(point) => {
                        Some(Beginning { states: point.states.clone(), commits: point.commits.clone() })
                    }
                    None => {
                        return Err(format!("checkpoint {checkpoint} is to be restored, but is not there"));
                    }
                }
            }
            None => self.storage.initial.clone(),
        };
        let (states, commits) = match beginning {
            Some(Beginning { states, commits }) => (Some(states), commits),
            None => (None, Uncommitted::new()),
        };
        if let (true, Some(states)) = (drained, &states) {
            self.records = positions(states);
        }
        // What an earlier attempt has staged since will be rewritten.
        let own = states.iter().flatten().flat_map(|state| state.pending.clone());
        let global = commits.values().flatten().map(|request| request.committable);
        let held: BTreeSet<Handle> = own.chain(global).collect();
        self.sink.sweep(|handle| held.contains(handle));
        self.restart_commits(restored, commits);
        let mode = self.config.mode;
        let mut tasks = Vec::new();
        for spec in &self.job.tasks {
            let slot = self.jm.slots.get(spec.id.subtask.index()).copied().flatten();
            let slot = slot.ok_or_else(|| format!("there is no slot for task {}", spec.id))?;
            let by = self.job.by[spec.id.vertex.0 as usize];
            tasks.push(Task::new(spec, by, attempt, slot, mode));
        }
        self.generations.drain(..self.generations.len().saturating_sub(REMEMBERED));
        self.generations.push(Generation { leader, attempt, job: self.job.clone(), tasks });
        for task in 0..self.job.tasks.len() {
            let state = states.as_ref().map(|s| s[task].clone());
            self.tell_task(task, Control::Deploy { state, drained });
        }
        Ok(())
    }
}

fn positions(states: &[State]) -> Vec<u32> {
    states.iter().map(|s| s.position).collect()
}
