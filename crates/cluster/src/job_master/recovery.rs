//! What an attempt starts from, and how it is deployed.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::coordinator::{self, RestorePoint};
use flott_checkpoint::execution;
use flott_checkpoint::manifest::{Manifest, OperatorSnapshot};
use flott_checkpoint::{Attempt, TaskId};
use flott_plan::{JobGraph, OperatorSpec};
use flott_runtime::{Home, OperatorRestore, input_edges};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Error, FastMap, Result, SubtaskIndex, Waker};

use crate::beginning;
use crate::global_commits::{Uncommitted, uncommitted};
use crate::messages::{Deploy, TaskManagerId, Work};
use crate::resource_manager::GrantedSlot;
use crate::restored::has_state;
use crate::storage::Place;

use super::{Event, JobMaster, JobMessage};

/// What an attempt starts from, read and distributed.
#[derive(Default)]
pub(crate) struct Prepared {
    /// The snapshot, if there is one.
    checkpoint: Option<CheckpointId>,
    /// The share of each task that has one.
    shares: Shares,
    /// What is committed once for the job, and was not.
    uncommitted: Uncommitted,
}

type Shares = FastMap<TaskId, Vec<OperatorRestore>>;

/// Why an attempt cannot start.
pub(crate) enum Unprepared {
    /// The snapshot cannot be read.
    Unreadable(Error),
    /// It can, but the job cannot start from it.
    Failed(Error),
}

impl JobMaster {
    /// Reads everything that the next attempt starts from, and restores the enumerators.
    pub(super) fn restore_point(&mut self, point: Option<RestorePoint>) -> Option<Event> {
        self.prepared = Prepared::default();
        if let Some(error) = self.unusable.take_if(|_| point.is_none()) {
            // There were checkpoints, and none can be read: to begin from nothing would lose what they held.
            let reason = format!("no checkpoint can be restored: {error}");
            let failure = execution::Failure { reason, retryable: false };
            return Some(execution::Event::Fail(failure).into());
        }
        self.round += 1;
        let round = self.round;
        self.preparing = Some(round);
        let (storage, job, graph) = (self.setup.storage.clone(), self.setup.job, self.setup.graph.clone());
        let configuration = self.setup.options.task.configuration.clone();
        let (initial, clock) = (self.setup.initial.clone(), self.setup.clock.clone());
        let global = self.global.uids();
        let doubtful = self.doubtful.clone();
        let own = self.setup.own.clone();
        let waker = Waker::new(move || own(JobMessage::SourcesWoken));
        self.ask_sources(move |enumerators| {
            let place = Place { job, configuration: &configuration };
            let read = |point: &RestorePoint| {
                guard("restore", || match &point.savepoint {
                    Some(path) => storage.read_path(&place, path),
                    None => storage.read(&place, point.checkpoint),
                })
            };
            // Somebody else may run the job by now, and what tasks do when they open (a sink cleans up) is
            // not to disturb that.
            if let Some(deposed) = storage.deposed(&place) {
                return JobMessage::Prepared(round, point, Err(Unprepared::Failed(deposed)));
            }
            // What the next attempt begins with is not to be in doubt: it writes once more what sinks had promised
            // with a checkpoint after that, so nobody may find such a checkpoint later.
            for checkpoint in &doubtful {
                if let Err(error) = guard("withdraw", || storage.withdraw(&place, *checkpoint)) {
                    let error = error.context(format_args!(
                        "checkpoint {checkpoint} may be complete, though it was told to have failed"
                    ));
                    return JobMessage::Prepared(round, point, Err(Unprepared::Failed(error)));
                }
            }
            // All tasks of the attempt before this one have ended, and none of this one runs.
            if round > 1
                && let Err(error) = guard("sweep", || storage.sweep_aborted(&place))
            {
                tracing::warn!(%job, %error, "files of aborted checkpoints could not be deleted");
            }
            let prepare = || {
                let manifest = match &point {
                    Some(point) => Some(Arc::new(read(point).map_err(Unprepared::Unreadable)?)),
                    None => initial,
                };
                enumerators
                    .restart(&graph, manifest.as_deref(), &clock, &waker)
                    .map_err(Unprepared::Failed)?;
                let shares = manifest.as_deref().map(|manifest| shares(manifest, &graph)).transpose();
                let uncommitted =
                    manifest.as_deref().map(|manifest| uncommitted(manifest, &graph, &global)).transpose();
                Ok(Prepared {
                    checkpoint: manifest.map(|manifest| manifest.checkpoint),
                    shares: shares.map_err(Unprepared::Failed)?.unwrap_or_default(),
                    uncommitted: uncommitted.map_err(Unprepared::Failed)?.unwrap_or_default(),
                })
            };
            let prepared = prepare();
            JobMessage::Prepared(round, point, prepared)
        });
        None
    }

    /// What the next attempt starts from has been read; if it cannot be read, the one before it is tried.
    pub(super) fn prepared(
        &mut self,
        round: u64,
        point: Option<RestorePoint>,
        result: Result<Prepared, Unprepared>,
    ) {
        if self.preparing != Some(round) {
            return;
        }
        self.preparing = None;
        match result {
            Ok(prepared) => {
                if point.is_some() {
                    self.unusable = None;
                }
                self.doubtful.clear();
                self.prepared = prepared;
                self.execute(execution::Event::RestorePoint(point));
            }
            Err(Unprepared::Failed(error)) => self.fail(&error),
            Err(Unprepared::Unreadable(error)) => {
                let Some(RestorePoint { checkpoint, .. }) = point else { return };
                tracing::warn!(job = %self.setup.job, %checkpoint, %error, "cannot be restored");
                self.coordinate(coordinator::Event::Unusable(checkpoint));
                if let Some(refused) = self.older_refused(&error) {
                    return self.fail(&refused);
                }
                self.unusable = Some(error);
                self.coordinate(coordinator::Event::RestoreRequested);
            }
        }
    }

    /// Why no older checkpoint is taken in place of one that cannot be read, if there is one: what was
    /// published since would be written again.
    pub(super) fn older_refused(&self, newest: &Error) -> Option<Error> {
        let refuses = self.setup.commits && !self.setup.options.allow_older;
        let older = self.coordinator.latest().filter(|_| refuses)?;
        Some(beginning::older_refused(newest, older.checkpoint))
    }

    /// The snapshot that the current attempt started from.
    pub(super) fn restored_from(&self) -> Option<CheckpointId> {
        self.prepared.checkpoint
    }

    pub(super) fn deploy(&mut self, attempt: Attempt, tasks: &[TaskId], drained: bool) -> Result<()> {
        self.deployed = false;
        self.all_run = false;
        // An attempt before this one may have failed while it stopped.
        self.stopped = false;
        let checkpoint = self.prepared.checkpoint;
        self.global.restart(checkpoint, std::mem::take(&mut self.prepared.uncommitted));
        if let Some(results) = self.setup.results.as_ref().filter(|_| attempt.0 > 1) {
            results.restored(attempt, checkpoint);
        }
        self.enumerators.clear();
        self.triggering.clear();
        self.watermark_alignment.clear();
        let mut deploys: BTreeMap<TaskManagerId, (GrantedSlot, Vec<_>)> = BTreeMap::new();
        let mut homes = BTreeMap::new();
        for task in tasks {
            let restore = self.prepared.shares.remove(task).unwrap_or_default();
            let slot = self.slots.get(self.slot_of(*task)).and_then(Option::as_ref);
            let slot = slot.ok_or_else(|| Error::internal(format!("there is no slot for task {task}")))?;
            homes.insert(*task, slot.slot.task_manager);
            let there = deploys.entry(slot.slot.task_manager);
            there.or_insert_with(|| (slot.clone(), Vec::new())).1.push((*task, restore));
        }
        let now = self.setup.clock.now();
        self.setup.shared.update(|info| {
            info.attempt = attempt;
            info.deployed(&homes, now);
            info.checkpoints.restored += u64::from(checkpoint.is_some());
            info.checkpoints.restored_from = checkpoint;
        });
        self.deployed = true;
        let home = |(id, (slot, tasks)): (&TaskManagerId, &(GrantedSlot, Vec<(TaskId, _)>))| Home {
            task_manager: *id,
            address: slot.gateway.address().map(str::to_owned),
            tasks: tasks.iter().map(|(task, _)| *task).collect(),
        };
        let homes: Arc<[Home]> = deploys.iter().map(home).collect();
        for (slot, tasks) in deploys.into_values() {
            let deploy = Deploy {
                job: self.setup.job,
                attempt,
                graph: self.setup.json.clone(),
                submitted_at: self.setup.submitted_at,
                drained,
                restored: checkpoint,
                succession: self.setup.succession,
                homes: homes.clone(),
                tasks,
            };
            self.send_to(&slot, Work::Deploy(deploy));
        }
        Ok(())
    }
}

/// What each task starts from.
fn shares(manifest: &Manifest, graph: &JobGraph) -> Result<Shares> {
    let mut all = Shares::default();
    for vertex in &graph.vertices {
        for (position, operator) in vertex.operators.iter().enumerate() {
            let uid = &operator.node.uid;
            let shares = manifest
                .shares(uid, vertex.parallelism, vertex.max_parallelism)
                .map_err(|error| error.in_operator(&operator.node.name))?;
            // What was under way comes to the head of a chain; to what is none now, there are no streams.
            let edges = if position == 0 { input_edges(graph, vertex.id) } else { Vec::new() };
            let in_flight =
                manifest.in_flight_shares(uid, &edges, vertex.parallelism, vertex.max_parallelism);
            let in_flight = in_flight.map_err(|error| error.in_operator(&operator.node.name))?;
            let shares = shares.into_iter().flatten().zip(in_flight);
            for (subtask, (mut state, in_flight)) in (0..).map(SubtaskIndex).zip(shares) {
                state.in_flight = in_flight;
                let task = TaskId { vertex: vertex.id, subtask };
                all.entry(task).or_default().push(OperatorRestore { uid: uid.clone(), state });
            }
        }
    }
    Ok(all)
}

/// Refuses to leave state behind that nobody in the new plan claims, unless that is allowed; then it is told.
pub(super) fn check_claims(manifest: &Manifest, graph: &JobGraph, ignore: bool) -> Result<()> {
    let operators = || graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let uids: Vec<_> = operators().map(|o| &o.node.uid).collect();
    for operator in &manifest.operators {
        if !has_state(operator) || uids.contains(&&operator.uid) {
            continue;
        }
        let (name, uid) = (&operator.name, &operator.uid);
        if ignore {
            let job = &graph.name;
            tracing::warn!(job, operator = name, %uid, "its state is left behind: no operator of the job has this uid");
            continue;
        }
        let is_program = |spec: &OperatorSpec| matches!(spec, OperatorSpec::Function { .. });
        let hint = match operators().any(|operator| is_program(&operator.node.spec)) {
            true => format!("give the operator that it belongs to `.uid(\"{uid}\")`, or set"),
            false => "set".to_owned(),
        };
        return Err(Error::state(format!(
            "the snapshot has state of '{name}' (uid '{uid}'), which the job does not have; {hint} \
             'execution.state-recovery.ignore-unclaimed-state' to true to leave it behind"
        )));
    }
    Ok(())
}

/// Lets vertices have the max parallelism of the keyed state that they continue with, where the job does not
/// ask for one. Says whether the graph is another one now.
///
/// # Errors
/// If the vertex has more subtasks than the state has key groups.
pub(super) fn adopt_max_parallelism(manifest: &Manifest, graph: &mut JobGraph) -> Result<bool> {
    let asked = graph.configuration.get("pipeline.max-parallelism");
    if asked.is_some_and(|text| text.trim() != "0") {
        return Ok(false);
    }
    let mut changed = false;
    for vertex in &mut graph.vertices {
        if vertex.operators.iter().any(|operator| operator.node.wishes.max_parallelism.is_some()) {
            continue;
        }
        let state = vertex.operators.iter().filter_map(|operator| manifest.operator(&operator.node.uid));
        let keyed = |operator: &&OperatorSnapshot| operator.subtasks.iter().any(|s| !s.keyed.is_empty());
        let Some(state) = state.into_iter().find(keyed) else { continue };
        if state.max_parallelism < vertex.parallelism {
            return Err(Error::state(format!(
                "the state of '{}' has max parallelism {}, and the operator has parallelism {}; set 'parallelism.default' \
                 or the operator's own to at most {}",
                state.name, state.max_parallelism, vertex.parallelism, state.max_parallelism
            )));
        }
        changed |= vertex.max_parallelism != state.max_parallelism;
        vertex.max_parallelism = state.max_parallelism;
    }
    Ok(changed)
}
