//! The JobManager's side of sources: a [`SourceCoordinator`] for each.
//!
//! Enumerators may take a moment, so they have their own thread, which the job master talks to by messages.
//! Waiting for external systems happens on yet other threads, which wake it
//! ([`flott_connector::Background`]): neither a checkpoint nor another source waits for a listing. Each
//! answer says when the enumerators want to be called next; the job master keeps the time.
//!
//! **No split is lost or read twice.** The enumerator's snapshot is taken when a checkpoint is triggered,
//! before the trigger is sent, on the thread that also assigns splits. The job master receives its answers in
//! order, forwards them in order, and sends the trigger when it has the snapshot; and commands to one task
//! arrive in order. So a split that was assigned before the snapshot reaches the reader before the trigger
//! and is in the reader's snapshot, and one that is assigned later reaches it after the trigger and is still
//! in the enumerator's snapshot. Nothing needs to be remembered in between. (All tasks of a job fail together
//! and restart from one checkpoint with the enumerators, so no single reader returns splits.)

use std::sync::Arc;

use flott_checkpoint::TaskId;
use flott_checkpoint::manifest::{Blob, Manifest};
use flott_connector::{
    Boundedness, Discovery, EnumeratorContext, FixedSplits, Messages, Payload, ReaderContext, Registry,
    Source, SourceCoordinator, SourceReader, SplitEnumerator, ToReader,
};
use flott_plan::{JobGraph, OperatorSpec};
use flott_runtime::TaskCommand;
use flott_types::panics::guard;
use flott_types::{
    CheckpointId, Clock, Error, OperatorUid, Result, SubtaskIndex, Timestamp, VertexId, Waker,
};

/// The state of each enumerator, by the uid of its source.
pub(crate) type EnumeratorStates = Vec<(OperatorUid, Blob)>;

/// The messages for tasks, in order.
pub(crate) type Commands = Vec<(TaskId, TaskCommand)>;

/// The enumerators of one job.
#[derive(Default)]
pub(crate) struct Enumerators {
    sources: Vec<Coordinated>,
    /// Inputs do not end: readers that have read everything stay.
    hold: bool,
}

/// Messages from a reader to its enumerator.
#[derive(Clone, Debug)]
pub(crate) enum FromReader {
    /// It is open, and reads these splits.
    Registered(Vec<String>),
    /// It has read everything, after it was given splits so often.
    Requests { received: u64 },
    /// Something of the connector's own.
    Event(Payload),
}

/// What the job master has to know about all enumerators together.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Agenda {
    /// One of them wants to be called then.
    pub(crate) next_time: Option<Timestamp>,
    /// One of them is discovering splits in the background, and will wake.
    pub(crate) is_looking: bool,
    /// All inputs have been read to their ends, and are held there.
    pub(crate) all_held: bool,
}

struct Coordinated {
    vertex: VertexId,
    uid: OperatorUid,
    name: String,
    /// In the current attempt.
    parallelism: u32,
    source: Arc<dyn Source>,
    coordinator: Option<SourceCoordinator>,
}

impl Enumerators {
    /// The sources of a job, not begun. With `hold` readers that have read everything stay.
    pub(crate) fn new(
        graph: &JobGraph,
        registry: &Registry,
        context: &flott_connector::TableContext,
        hold: bool,
    ) -> Result<Self> {
        let mut all = Vec::new();
        for vertex in &graph.vertices {
            for operator in &vertex.operators {
                let name = operator.node.name.clone();
                let spec = &operator.node.spec;
                let source = if let OperatorSpec::Source(spec) = spec {
                    guard(&name, || registry.source(spec, context))?
                } else if hold && matches!(spec, OperatorSpec::Values { .. }) {
                    Arc::new(ConstantRows)
                } else {
                    continue;
                };
                all.push(Coordinated {
                    vertex: vertex.id,
                    uid: operator.node.uid.clone(),
                    name,
                    parallelism: vertex.parallelism,
                    source,
                    coordinator: None,
                });
            }
        }
        Ok(Enumerators { sources: all, hold })
    }

    /// Whether the job ends by itself.
    pub(crate) fn all_bounded(&self) -> bool {
        self.sources.iter().all(|one| one.source.boundedness() == Boundedness::Bounded)
    }

    /// Starts again, from a snapshot or from nothing, for the subtasks of this graph.
    pub(crate) fn restart(
        &mut self,
        graph: &JobGraph,
        manifest: Option<&Manifest>,
        clock: &Arc<dyn Clock>,
        waker: &Waker,
    ) -> Result<()> {
        for one in &mut self.sources {
            // The previous attempt's discovery is no longer needed.
            one.coordinator = None;
            let blob =
                manifest.and_then(|manifest| manifest.operator(&one.uid)).and_then(|o| o.enumerator.as_ref());
            if let Some(vertex) = graph.vertices.iter().find(|vertex| vertex.id == one.vertex) {
                one.parallelism = vertex.parallelism;
            }
            let context = EnumeratorContext {
                parallelism: one.parallelism,
                clock: clock.clone(),
                waker: waker.clone(),
            };
            let enumerator = guard(&one.name, || {
                let restored = blob.map(|blob| Payload::unseal(blob)).transpose()?;
                one.source.enumerator(restored.as_ref(), context)
            })?;
            let coordinator = SourceCoordinator::new(enumerator);
            one.coordinator = Some(if self.hold { coordinator.that_holds() } else { coordinator });
        }
        Ok(())
    }

    /// Handles a reader's message.
    pub(crate) fn hear(&mut self, uid: &OperatorUid, task: TaskId, said: FromReader) -> Result<Commands> {
        let known = self.sources.iter_mut().find(|one| one.uid == *uid && one.vertex == task.vertex);
        let Some(one) = known else {
            return Err(Error::internal(format!(
                "task {task} refers to the source '{uid}', which does not exist"
            )));
        };
        one.call(|coordinator| match said {
            FromReader::Registered(reading) => coordinator.register(task.subtask, &reading),
            FromReader::Requests { received } => coordinator.request_after(task.subtask, received),
            FromReader::Event(event) => coordinator.event(task.subtask, event),
        })
    }

    /// Runs those that are due, or that may have been woken.
    pub(crate) fn work(&mut self, now: Timestamp) -> Result<Commands> {
        let mut commands = Commands::new();
        for one in &mut self.sources {
            commands.extend(one.call(|coordinator| coordinator.work(now))?);
        }
        Ok(commands)
    }

    /// When they want to be called, and what they wait for.
    pub(crate) fn agenda(&self) -> Agenda {
        let begun = || self.sources.iter().filter_map(|one| one.coordinator.as_ref());
        let held = |one: &Coordinated| {
            one.coordinator.as_ref().is_some_and(|coordinator| coordinator.holds_all(one.parallelism))
        };
        Agenda {
            all_held: self.hold && self.sources.iter().all(held),
            next_time: begun().filter_map(SourceCoordinator::next_time).min(),
            is_looking: begun().any(|coordinator| coordinator.discovery() > Discovery::None),
        }
    }

    /// The state of all enumerators, at the moment when a checkpoint is triggered.
    pub(crate) fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<EnumeratorStates> {
        let begun = self.sources.iter_mut().filter_map(|one| {
            let Coordinated { uid, name, coordinator, .. } = one;
            Some((uid, name, coordinator.as_mut()?))
        });
        begun
            .map(|(uid, name, coordinator)| {
                let state = guard(name, || coordinator.snapshot(checkpoint))?;
                Ok((uid.clone(), state.seal().into()))
            })
            .collect()
    }

    /// A checkpoint is complete, or will not be.
    pub(crate) fn checkpoint_ended(&mut self, checkpoint: CheckpointId, complete: bool) -> Result<()> {
        for one in &mut self.sources {
            one.call(|coordinator| {
                match complete {
                    true => coordinator.complete(checkpoint)?,
                    false => coordinator.aborted(checkpoint)?,
                }
                Ok(Messages::new())
            })?;
        }
        Ok(())
    }
}

/// Constant rows: the task has them, and only tells that it has emitted them.
struct ConstantRows;

impl Source for ConstantRows {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(FixedSplits::new(restored, || Ok(Vec::new()))?))
    }

    fn reader(&self, _: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Err(Error::internal("constant rows are read by the task"))
    }
}

impl Coordinated {
    fn call(&mut self, call: impl FnOnce(&mut SourceCoordinator) -> Result<Messages>) -> Result<Commands> {
        let Some(coordinator) = &mut self.coordinator else { return Ok(Commands::new()) };
        let messages = guard(&self.name, || call(coordinator))?;
        let command = |(subtask, message): (SubtaskIndex, ToReader)| {
            let command = match message {
                ToReader::AddSplits(splits) => TaskCommand::AddSplits(splits),
                ToReader::NothingYet => TaskCommand::NoSplitsYet,
                ToReader::NoMoreSplits => TaskCommand::NoMoreSplits,
                ToReader::Event(event) => TaskCommand::SourceEvent(event),
            };
            (TaskId { vertex: self.vertex, subtask }, command)
        };
        Ok(messages.into_iter().map(command).collect())
    }
}
