//! What an attempt starts from, and how it is deployed.

use std::sync::Arc;

use flott_checkpoint::coordinator::{self, RestorePoint};
use flott_checkpoint::execution;
use flott_checkpoint::manifest::{Manifest, TaskSnapshot};
use flott_checkpoint::{Attempt, ExecutionState, TaskId};
use flott_plan::{JobGraph, OperatorSpec};
use flott_types::{Error, Result};

use crate::messages::{Deploy, ToTaskManager};
use crate::storage::Place;
use crate::transport::TaskManagerGateway;

use super::{Action, JobMaster};

impl JobMaster {
    /// Reads what the next attempt starts from; if that cannot be read, the one before it.
    pub(super) fn restore_point(
        &mut self,
        point: Option<RestorePoint>,
        execute: &mut Option<Vec<execution::Event>>,
        coordinate: &mut Option<coordinator::Event<TaskSnapshot>>,
    ) {
        self.restore = None;
        if let Some(point) = &point {
            let place = Place { job: self.setup.job, configuration: &self.setup.options.task.configuration };
            let read = match &point.savepoint {
                Some(path) => self.setup.storage.read_path(&place, path),
                None => self.setup.storage.read(&place, point.checkpoint),
            };
            match read {
                Ok(manifest) => {
                    self.restore = Some(manifest);
                    self.unusable = None;
                }
                Err(error) => {
                    tracing::warn!(job = %self.setup.job, checkpoint = %point.checkpoint, %error, "cannot be restored");
                    self.unusable = Some(error);
                    let actions = self
                        .coordinator
                        .step(coordinator::Event::Unusable(point.checkpoint), self.setup.clock.now());
                    self.actions.extend(actions.into_iter().map(Action::Coordinator));
                    *coordinate = Some(coordinator::Event::RestoreRequested);
                    return;
                }
            }
        } else if let Some(error) = self.unusable.take() {
            // There were checkpoints, and none can be read: to begin from nothing would lose what they held.
            let reason = format!("no checkpoint can be restored: {error}");
            let failure = execution::Failure { reason, retryable: false };
            *execute = Some(vec![execution::Event::Fail(failure)]);
            return;
        }
        if self.restore.is_none() {
            self.restore = self.initial.clone();
        }
        *execute = Some(vec![execution::Event::RestorePoint(point)]);
    }

    pub(super) fn deploy(&mut self, attempt: Attempt, tasks: &[TaskId], drained: bool) -> Result<()> {
        self.deployed = false;
        // An attempt before this one may have failed while it stopped.
        self.stopped = false;
        let checkpoint = self.restore.as_ref().map(|manifest| manifest.checkpoint);
        self.setup.shared.update(|info| {
            info.attempt = attempt;
            info.tasks = tasks.iter().map(|task| (*task, ExecutionState::Deploying)).collect();
            info.checkpoints.restored += u64::from(checkpoint.is_some());
            info.checkpoints.restored_from = checkpoint;
        });
        if let Some(results) = self.setup.results.as_ref().filter(|_| attempt.0 > 1) {
            results.restored(checkpoint);
        }
        let slots = match &self.setup.slots {
            Ok(slots) => slots.clone(),
            Err(failure) => return Err(failure.to_error()),
        };
        self.setup.enumerators.restart(self.restore.as_ref(), &self.setup.clock)?;
        self.enumerators.clear();
        self.alignments.clear();
        let mut deploys: Vec<(Arc<dyn TaskManagerGateway>, Vec<_>)> = Vec::new();
        for task in tasks {
            let restore = self.restore_of(*task)?;
            let slot = &slots[self.slot_of(*task)];
            match deploys.iter_mut().find(|(gateway, _)| Arc::ptr_eq(gateway, slot)) {
                Some((_, tasks)) => tasks.push((*task, restore)),
                None => deploys.push((slot.clone(), vec![(*task, restore)])),
            }
        }
        self.deployed = true;
        for (gateway, tasks) in deploys {
            gateway.send(ToTaskManager::Deploy(Deploy {
                job: self.setup.job,
                attempt,
                graph: self.setup.json.clone(),
                submitted_at: self.setup.submitted_at,
                drained,
                tasks,
            }));
        }
        Ok(())
    }

    pub(super) fn restore_of(&self, task: TaskId) -> Result<Vec<flott_runtime::OperatorRestore>> {
        let Some(manifest) = &self.restore else {
            return Ok(Vec::new());
        };
        let vertex = &self.setup.graph.vertices[task.vertex.0 as usize];
        let mut restores = Vec::new();
        for operator in &vertex.operators {
            let uid = &operator.node.uid;
            let state = manifest
                .restore(uid, task.subtask, vertex.parallelism, vertex.max_parallelism)
                .map_err(|error| error.in_operator(&operator.node.name))?;
            if let Some(state) = state {
                restores.push(flott_runtime::OperatorRestore { uid: uid.clone(), state });
            }
        }
        Ok(restores)
    }
}

/// Refuses to leave state behind that nobody in the new plan claims, unless that is allowed; then it is told.
pub(super) fn check_claims(manifest: &Manifest, graph: &JobGraph, ignore: bool) -> Result<()> {
    let operators = || graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let uids: Vec<_> = operators().map(|o| &o.node.uid).collect();
    for operator in &manifest.operators {
        let lists = |subtask: &flott_checkpoint::manifest::SubtaskSnapshot| {
            subtask.operator.iter().any(|list| !list.entries.is_empty()) || !subtask.keyed.is_empty()
        };
        let has_state = operator.enumerator.is_some() || operator.subtasks.iter().any(lists);
        if !has_state || uids.contains(&&operator.uid) {
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
