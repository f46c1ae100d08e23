//! Messages to and from a task: plain data, so that they can cross a network.

use flott_checkpoint::manifest::{SubtaskRestore, TaskSnapshot};
use flott_checkpoint::{Attempt, Barrier, TaskId};
use flott_connector::{Payload, Split, WatermarkAlignment};
use flott_plan::{ChainedNode, Exchange, JobEdge, JobGraph, JobVertex};
use flott_types::{CheckpointId, Error, ErrorKind, JobId, OperatorUid, Result, Succession, Timestamp};
use serde::{Deserialize, Serialize};

/// Everything that one task starts from.
#[derive(Clone, Debug)]
pub struct TaskDeployment {
    /// The job.
    pub job: JobId,
    /// Which deployment of the job this is.
    pub attempt: Attempt,
    /// The task.
    pub task: TaskId,
    /// Its chain of operators.
    pub vertex: JobVertex,
    /// The streams into it, in the order of the plan's edges.
    pub inputs: Vec<TaskEdge>,
    /// The streams out of it, in the order of the plan's edges.
    pub outputs: Vec<TaskEdge>,
    /// What its operators start from.
    pub restore: Vec<OperatorRestore>,
    /// The job's inputs had ended before it failed: a source starts at its end.
    pub drained: bool,
    /// The checkpoint that the job starts from.
    pub restored: Option<CheckpointId>,
    /// Where this start stands among those of the job, if it has a lease.
    pub succession: Option<Succession>,
    /// The job's configuration.
    pub options: crate::TaskOptions,
}

/// A stream between this task's vertex and another one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskEdge {
    /// The edge's position in the plan.
    pub edge: u32,
    /// The edge.
    pub plan: JobEdge,
    /// The parallelism of the vertex at the other end.
    pub parallelism: u32,
    /// The number of key groups of the receiving vertex.
    pub max_parallelism: u32,
    /// The operator that sends.
    pub sender: ChainedNode,
}

/// What one operator of a task starts from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OperatorRestore {
    /// The operator.
    pub uid: OperatorUid,
    /// Its share of the state.
    pub state: SubtaskRestore,
}

/// A channel: one sending subtask to one receiving subtask over one edge of the plan.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct ChannelKey {
    /// The job.
    pub job: JobId,
    /// The deployment.
    pub attempt: Attempt,
    /// The edge's position in the plan.
    pub edge: u32,
    /// The sender.
    pub from: TaskId,
    /// The receiver.
    pub to: TaskId,
}

/// Commands from the JobManager to a task. Commands to one task arrive in the order in which they were sent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum TaskCommand {
    /// A checkpoint begins. Sources act on it; other tasks wait for the barrier, see
    /// `flott_checkpoint::alignment`.
    Trigger {
        /// The checkpoint.
        barrier: Barrier,
        /// Of a savepoint, the folder that it goes to.
        target: Option<String>,
    },
    /// A checkpoint is complete.
    Complete(CheckpointId),
    /// A checkpoint will not complete.
    Aborted(CheckpointId),
    /// Splits for the source of this task.
    AddSplits(Vec<Split>),
    /// There are no splits now; new ones will be sent.
    NoSplitsYet,
    /// There will be no more splits.
    NoMoreSplits,
    /// The source's enumerator sends something to the reader.
    SourceEvent(Payload),
    /// The minimum event time of the source's alignment group; `None` if no reader delays the others.
    Align(Option<Timestamp>),
    /// A source has to end its input as if it had reached its end.
    Drain,
    /// The job is over: commit up to this checkpoint, if any, and leave.
    Finish(Option<CheckpointId>),
    /// Leave at once.
    Cancel,
}

/// Reports from a task to the JobManager.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum TaskReport {
    /// Restored, connected and running.
    Running,
    /// The reader of this task's source is open.
    ReaderRegistered {
        /// The source.
        operator: OperatorUid,
        /// The splits that it was restored with.
        reading: Vec<String>,
    },
    /// The source of this task has read all its splits.
    RequestSplits {
        /// The source.
        operator: OperatorUid,
        /// How often it was given splits before.
        received: u64,
    },
    /// The source's reader sends something to its enumerator.
    SourceEvent {
        /// The source.
        operator: OperatorUid,
        /// What it is.
        event: Payload,
    },
    /// The event time of this task's source; `None` if it delays nobody.
    SourceWatermark {
        /// Its alignment group.
        group: WatermarkAlignment,
        /// The minimum over its splits.
        watermark: Option<Timestamp>,
    },
    /// All inputs have ended and everything is emitted; only the end of the job is awaited.
    Drained,
    /// The snapshot is stored.
    Ack {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// What to put into the manifest.
        snapshot: TaskSnapshot,
        /// Durations.
        metrics: SnapshotMetrics,
    },
    /// A sink has committed all that its subtask commits of the checkpoints up to this one: what the job
    /// master commits of them may follow.
    Committed {
        /// The sink.
        operator: OperatorUid,
        /// The last of them.
        checkpoint: CheckpointId,
    },
    /// The snapshot will not come.
    Decline {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Why, for people; `None` if it was overtaken or cancelled, which is not a failure.
        failure: Option<String>,
    },
    /// Left because the job was over.
    Finished,
    /// Left because it was told to cancel.
    Canceled,
    /// Left because of an error.
    Failed(Failure),
}

/// How long the phases of a task's snapshot took, and how large it is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotMetrics {
    /// From the first barrier to the last, in milliseconds.
    pub alignment_millis: i64,
    /// On the task's thread, in microseconds.
    pub sync_micros: u64,
    /// Off the task's thread, in milliseconds.
    pub async_millis: i64,
    /// From the trigger to the start of the snapshot, in milliseconds.
    pub start_delay_millis: i64,
    /// What was written for this checkpoint, in bytes.
    pub size: u64,
    /// All that the checkpoint names, in bytes.
    pub full_size: u64,
    /// The barrier overtook.
    pub unaligned: bool,
    /// What was processed between the first barrier and the snapshot, in bytes.
    pub processed: u64,
    /// What the barrier overtook, in bytes as stored.
    pub persisted: u64,
}

/// An error as sent over the wire and kept in the exception history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, as far as a decision depends on it.
    pub kind: FailureKind,
    /// For people; operator and causes included.
    pub message: String,
    /// Whether a restart may help.
    pub retryable: bool,
    /// When it happened.
    pub at: Timestamp,
}

/// [`ErrorKind`] on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are ErrorKind's")]
pub enum FailureKind {
    Invalid,
    Unsupported,
    Data,
    External,
    State,
    Closed,
    Cancelled,
    Internal,
}

impl Failure {
    /// From an error.
    pub fn new(error: &Error, at: Timestamp) -> Self {
        let kind = match error.kind() {
            ErrorKind::Invalid => FailureKind::Invalid,
            ErrorKind::Unsupported => FailureKind::Unsupported,
            // A caller that could retry with fewer rows has not done so: it would fail again.
            ErrorKind::Data | ErrorKind::TooLarge => FailureKind::Data,
            ErrorKind::External => FailureKind::External,
            ErrorKind::State => FailureKind::State,
            ErrorKind::Closed => FailureKind::Closed,
            ErrorKind::Cancelled => FailureKind::Cancelled,
            ErrorKind::Internal => FailureKind::Internal,
        };
        Failure { kind, message: error.to_string(), retryable: error.is_retryable(), at }
    }

    /// As an error again.
    pub fn to_error(&self) -> Error {
        let kind = match self.kind {
            FailureKind::Invalid => ErrorKind::Invalid,
            FailureKind::Unsupported => ErrorKind::Unsupported,
            FailureKind::Data => ErrorKind::Data,
            FailureKind::External => ErrorKind::External,
            FailureKind::State => ErrorKind::State,
            FailureKind::Closed => ErrorKind::Closed,
            FailureKind::Cancelled => ErrorKind::Cancelled,
            FailureKind::Internal => ErrorKind::Internal,
        };
        Error::new(kind, self.message.clone())
    }
}

/// The subtasks of the other end of a rescaling edge that subtask `own` of `here` is connected to. Of the two
/// ends the wider one has exactly one neighbour each, and the relation is the same seen from either.
fn neighbours(own: u32, here: u32, there: u32) -> std::ops::Range<u32> {
    if here >= there {
        let at = (u64::from(own) * u64::from(there) / u64::from(here)) as u32;
        return at..at + 1;
    }
    // All those whose one neighbour is `own`.
    let first = |own: u32| (u64::from(own) * u64::from(there)).div_ceil(u64::from(here)) as u32;
    first(own)..first(own + 1)
}

impl TaskDeployment {
    /// One task of a job, from the job's plan.
    ///
    /// # Errors
    /// If the plan has no such vertex or contradicts itself.
    pub fn new(
        graph: &JobGraph,
        job: JobId,
        attempt: Attempt,
        task: TaskId,
        restore: Vec<OperatorRestore>,
        options: crate::TaskOptions,
    ) -> Result<Self> {
        let at = |id: flott_types::VertexId| {
            let vertex = graph.vertices.get(id.0 as usize).filter(|vertex| vertex.id == id);
            vertex.ok_or_else(|| Error::internal(format!("the plan has no vertex {id}")))
        };
        let vertex = at(task.vertex)?.clone();
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for (edge, plan) in (0..).zip(&graph.edges) {
            let (from, to) = (at(plan.from)?, at(plan.to)?);
            let max_parallelism = to.max_parallelism;
            if plan.exchange == Exchange::Forward && from.parallelism != to.parallelism {
                return Err(Error::internal(format!(
                    "a forward edge leads from '{}' with parallelism {} to '{}' with {}",
                    from.name, from.parallelism, to.name, to.parallelism
                )));
            }
            let own = |parallelism| {
                let sender = from.operators.get(plan.from_operator).cloned();
                let sender = sender
                    .ok_or_else(|| Error::internal(format!("edge {edge} of the plan has no sender")))?;
                Ok::<_, Error>(TaskEdge { edge, plan: plan.clone(), parallelism, max_parallelism, sender })
            };
            if plan.to == task.vertex {
                inputs.push(own(from.parallelism)?);
            }
            if plan.from == task.vertex {
                outputs.push(own(to.parallelism)?);
            }
        }
        let (drained, restored, succession) = (false, None, None);
        Ok(TaskDeployment {
            job,
            attempt,
            task,
            vertex,
            inputs,
            outputs,
            restore,
            drained,
            restored,
            succession,
            options,
        })
    }

    /// The channels into the task, in the order in which its gate numbers them, with the input that each
    /// feeds.
    pub fn input_channels(&self) -> Vec<(ChannelKey, usize)> {
        let mut channels = Vec::new();
        for input in &self.inputs {
            for subtask in self.peers(input) {
                let from = TaskId { vertex: input.plan.from, subtask };
                let key = ChannelKey {
                    job: self.job,
                    attempt: self.attempt,
                    edge: input.edge,
                    from,
                    to: self.task,
                };
                channels.push((key, input.plan.input));
            }
        }
        channels
    }

    /// The channels out of the task over one edge, one for each receiver it is connected to.
    pub fn output_channels(&self, output: &TaskEdge) -> Vec<ChannelKey> {
        let key = |subtask| ChannelKey {
            job: self.job,
            attempt: self.attempt,
            edge: output.edge,
            from: self.task,
            to: TaskId { vertex: output.plan.to, subtask },
        };
        self.peers(output).map(key).collect()
    }

    /// The subtasks at the other end that this one is connected to.
    fn peers(&self, edge: &TaskEdge) -> impl Iterator<Item = flott_types::SubtaskIndex> + use<> {
        let own = self.task.subtask.0;
        let range = match edge.plan.exchange {
            Exchange::Forward => own..own + 1,
            Exchange::Rescale => neighbours(own, self.vertex.parallelism, edge.parallelism),
            Exchange::Hash(_)
            | Exchange::Rebalance
            | Exchange::Broadcast
            | Exchange::Global
            | Exchange::Custom => 0..edge.parallelism,
        };
        range.map(flott_types::SubtaskIndex)
    }
}
