//! The JobManager's side of sources: one enumerator for each.
//!
//! Enumerators list folders and ask brokers, so they have a thread of their own; the job master asks it and is answered by message.
//!
//! **No split is lost or read twice.** The enumerator's snapshot is taken when a checkpoint is triggered, before the trigger is
//! sent, on the thread that also hands out splits. Its answers come to the job master in order, which sends them on in
//! order, and the trigger when it has the snapshot; and commands to one task arrive in order. So a split that was handed out
//! before the snapshot reaches the reader before the trigger and is in the reader's snapshot, and one that is handed out later
//! reaches it after the trigger and is not, but the enumerator still has it. Nothing needs to be remembered in between.

use std::sync::Arc;

use flott_checkpoint::TaskId;
use flott_checkpoint::manifest::Manifest;
use flott_connector::{Boundedness, EnumeratorContext, Registry, Source, SplitEnumerator};
use flott_plan::{JobGraph, OperatorSpec};
use flott_runtime::TaskCommand;
use flott_runtime::chain::guard;
use flott_types::{Clock, Error, OperatorUid, Result, VertexId};

/// The state of each enumerator, by the uid of its source.
pub(crate) type EnumeratorStates = Vec<(OperatorUid, String)>;

/// The enumerators of one job.
#[derive(Default)]
pub(crate) struct Enumerators(Vec<Coordinated>);

struct Coordinated {
    vertex: VertexId,
    uid: OperatorUid,
    name: String,
    parallelism: u32,
    source: Arc<dyn Source>,
    enumerator: Option<Box<dyn SplitEnumerator>>,
}

impl Enumerators {
    /// The sources of a job, not begun.
    pub(crate) fn new(
        graph: &JobGraph,
        registry: &Registry,
        context: &flott_connector::TableContext,
    ) -> Result<Self> {
        let mut all = Vec::new();
        for vertex in &graph.vertices {
            for operator in &vertex.operators {
                let OperatorSpec::Source(spec) = &operator.node.spec else {
                    continue;
                };
                let name = operator.node.name.clone();
                let source = guard(&name, || registry.source(spec, context))?;
                all.push(Coordinated {
                    vertex: vertex.id,
                    uid: operator.node.uid.clone(),
                    name,
                    parallelism: vertex.parallelism,
                    source,
                    enumerator: None,
                });
            }
        }
        Ok(Enumerators(all))
    }

    /// Whether the job ends by itself.
    pub(crate) fn all_bounded(&self) -> bool {
        self.0.iter().all(|one| one.source.boundedness() == Boundedness::Bounded)
    }

    /// Begins anew, from a snapshot or from nothing.
    pub(crate) fn restart(&mut self, manifest: Option<&Manifest>, clock: &Arc<dyn Clock>) -> Result<()> {
        for one in &mut self.0 {
            let blob =
                manifest.and_then(|manifest| manifest.operator(&one.uid)).and_then(|o| o.enumerator.as_ref());
            let text = match blob {
                Some(blob) => Some(std::str::from_utf8(blob).map_err(|error| {
                    Error::state("the state of the split enumerator is not text")
                        .with_source(error)
                        .in_operator(&one.name)
                })?),
                None => None,
            };
            let context = EnumeratorContext { parallelism: one.parallelism, clock: clock.clone() };
            one.enumerator = Some(guard(&one.name, || one.source.enumerator(text, context))?);
        }
        Ok(())
    }

    /// The answer to a reader that has nothing to read, or is `reading` and asks for its share.
    pub(crate) fn next(&mut self, uid: &OperatorUid, task: TaskId, reading: bool) -> Result<TaskCommand> {
        let known = self.0.iter_mut().find(|one| one.uid == *uid && one.vertex == task.vertex);
        let Some(Coordinated { name, enumerator: Some(enumerator), source, parallelism, .. }) = known else {
            return Err(Error::internal(format!(
                "task {task} asks for splits of '{uid}', which has no enumerator"
            )));
        };
        guard(name, || {
            let splits = match source.boundedness() {
                Boundedness::Bounded => enumerator.next_splits(task.subtask)?,
                Boundedness::Unbounded => enumerator.next_share(task.subtask, *parallelism, reading)?,
            };
            Ok(match splits {
                None => TaskCommand::NoMoreSplits,
                Some(splits) if splits.is_empty() => {
                    TaskCommand::NoSplitsYet(enumerator.discovery_interval())
                }
                Some(splits) => TaskCommand::AddSplits(splits),
            })
        })
    }

    /// The state of all enumerators, at the moment when a checkpoint is triggered.
    pub(crate) fn snapshot(&self) -> Result<EnumeratorStates> {
        let begun = self.0.iter().filter_map(|one| Some((one, one.enumerator.as_ref()?)));
        begun
            .map(|(one, enumerator)| Ok((one.uid.clone(), guard(&one.name, || enumerator.snapshot())?)))
            .collect()
    }
}
