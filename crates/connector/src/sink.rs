//! Sinks: a writer in each task, and a committer that publishes what a completed checkpoint contains.

use std::fmt;
use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_operator::MetricGroup;
use flott_plan::Schema;
use flott_types::{
    CheckpointId, Clock, Error, JobId, Result, SubtaskIndex, Succession, Timestamp, Waker, Watermark,
};
use serde::{Deserialize, Serialize};

use crate::{Committer, Payload};

/// Output that exists but is not visible yet: a file under a hidden name, an open transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Committable {
    /// What the connector needs to commit.
    pub payload: Payload,
    /// Who commits it.
    #[serde(default, skip_serializing_if = "CommittedBy::is_subtask")]
    pub by: CommittedBy,
}

/// Who commits something.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommittedBy {
    /// The [committer](Sink::committer) of the subtask that has written it.
    #[default]
    Subtask,
    /// The one [global committer](Sink::global_committer) of the sink, after what the subtasks commit of that
    /// checkpoint.
    Job,
}

impl CommittedBy {
    fn is_subtask(&self) -> bool {
        *self == CommittedBy::Subtask
    }
}

impl Committable {
    /// Committed by the subtask.
    pub fn new(payload: Payload) -> Self {
        Committable { payload, by: CommittedBy::Subtask }
    }

    /// Committed once for the job. Of two that are equal, and of one checkpoint, one is committed.
    pub fn global(payload: Payload) -> Self {
        Committable { payload, by: CommittedBy::Job }
    }
}

/// A sink: of one table, made from a `SinkSpec`, or of a stream of the DataStream API. Made anew in every
/// task.
pub trait Sink: Send + Sync {
    /// A subtask's writer. `restored` holds what [`SinkWriter::snapshot`] gave, from all former subtasks that
    /// fell to this one. All that the checkpoint holds for this subtask to commit has been committed; what it
    /// holds for the [global committer](Sink::global_committer) is when all subtasks run.
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>>;

    /// Whether there ever is something to commit. A sink whose output is visible at once says no.
    fn is_two_phase(&self) -> bool {
        false
    }

    /// Who commits what the writer of this task has handed over. Made when there is something to commit, and
    /// made anew after an error.
    fn committer(&self, context: CommitterContext) -> Result<Box<dyn Committer>> {
        let _ = context;
        Err(Error::internal("a sink that declares no commits has something to commit"))
    }

    /// Whether there ever is something that is committed [once for the whole job](Committable::global): a
    /// partition that is complete, a snapshot in the catalog of a lake. A sink that says so has two phases,
    /// and may have things that its subtasks commit as well.
    fn commits_globally(&self) -> bool {
        false
    }

    /// Who commits what the writers of all subtasks have handed over for the whole job. It is asked when a
    /// checkpoint is durable and the subtasks have committed their own of it, checkpoint by checkpoint, with
    /// all that one holds at once. Made in the JobManager when there is something to commit, and made anew
    /// after an error.
    fn global_committer(&self, context: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        let _ = context;
        Err(Error::internal("there is something to commit globally, of a sink that says there never is"))
    }

    /// Whether the sink can write where it is told to. Called when the job is submitted: what can never
    /// succeed is told then, and not by a job that fails again and again.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A sink that takes batches of `Records<T>`. Says so to the compiler; nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sink of `{T}`",
    label = "does not implement `Consumes<{T}>`",
    note = "a sink says which records it takes: map the stream to these, or `impl Consumes<{T}> for {Self}`"
)]
pub trait Consumes<T>: Sink {}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        (**self).writer(context, restored)
    }

    fn is_two_phase(&self) -> bool {
        (**self).is_two_phase()
    }

    fn committer(&self, context: CommitterContext) -> Result<Box<dyn Committer>> {
        (**self).committer(context)
    }

    fn commits_globally(&self) -> bool {
        (**self).commits_globally()
    }

    fn global_committer(&self, context: GlobalCommitterContext) -> Result<Box<dyn Committer>> {
        (**self).global_committer(context)
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }
}

impl<T, S: Consumes<T> + ?Sized> Consumes<T> for Arc<S> {}

/// What a writer may use.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// The job.
    pub job: JobId,
    /// How often the job was restarted; tells output of one attempt from another's.
    pub attempt: u32,
    /// Which of the job's starts this is, if only one at a time may run: those before it write nothing any more.
    pub succession: Option<Succession>,
    /// The writer's subtask.
    pub subtask: SubtaskIndex,
    /// How many writers there are.
    pub parallelism: u32,
    /// The checkpoint from which the job starts, if that knows this sink. If not, nothing that an earlier
    /// attempt handed over is in a checkpoint.
    pub restored: Option<CheckpointId>,
    /// The columns of the rows; of a table.
    pub schema: Option<Arc<Schema>>,
    /// Metrics of the sink's own.
    pub metrics: MetricGroup,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// From any thread, lets [`SinkWriter::woken`] be called soon, and [`SinkWriter::is_full`] be asked.
    pub waker: Waker,
}

/// What a committer may use.
#[derive(Clone, Debug)]
pub struct CommitterContext {
    /// The job.
    pub job: JobId,
    /// The subtask.
    pub subtask: SubtaskIndex,
    /// Metrics of the sink's own.
    pub metrics: MetricGroup,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What a global committer may use.
#[derive(Clone, Debug)]
pub struct GlobalCommitterContext {
    /// The job.
    pub job: JobId,
    /// As in [`SinkContext`].
    pub succession: Option<Succession>,
    /// How many writers there are.
    pub parallelism: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Writes rows. Output becomes visible by what `prepare_commit` hands over, or at once for sinks that commit
/// nothing.
///
/// It is called by the task's thread and should not wait for the outside in its calls: what is on its way is
/// sent by threads of its own, and when too much is, it says that it is [full](SinkWriter::is_full).
pub trait SinkWriter: Send {
    /// Writes rows; their columns are the table's, then metadata.
    fn write(&mut self, batch: Batch) -> Result<()>;

    /// Whether it wants no rows now. The task reads none then, and asks again when it was woken; rows that
    /// are on their way already it must take all the same.
    fn is_full(&self) -> bool {
        false
    }

    /// Somebody has called [`SinkContext::waker`]. The place to tell of errors of what is on its way.
    fn woken(&mut self) -> Result<()> {
        Ok(())
    }

    /// Event time has come so far: rows that are not behind it are late. At the end of the input it has come
    /// to its end.
    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        let _ = watermark;
        Ok(())
    }

    /// Whether its watermark counts. A writer that has had no data for a while must not hold back what waits
    /// for the event time of all writers.
    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        let _ = status;
        Ok(())
    }

    /// Sends what is buffered on its way. Called when input runs dry, and before a barrier.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Before the snapshot of a checkpoint, or at the end of input (`end`, with everything to be handed
    /// over): what shall become visible with that checkpoint. What takes its time (the rest of a file,
    /// answers to rows that were sent) is done [later](Prepared::Later), while the task continues with rows
    /// of the next checkpoint.
    fn prepare_commit(&mut self, checkpoint: CheckpointId, end: bool) -> Result<Prepared> {
        let _ = (checkpoint, end);
        Ok(Prepared::default())
    }

    /// What else must be in the checkpoint: output that is begun and not handed over. Each entry may go to
    /// another subtask on restore.
    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Payload>> {
        let _ = checkpoint;
        Ok(Vec::new())
    }

    /// When `on_time` wants to be called next, if ever.
    fn next_time(&self) -> Option<Timestamp> {
        None
    }

    /// The time asked for has come (roll a file that is open for too long).
    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        let _ = now;
        Ok(())
    }
}

/// What a writer hands over for a checkpoint.
pub enum Prepared {
    /// It is there.
    Now(Vec<Committable>),
    /// It is there when this has run, on another thread; the checkpoint waits for it, the task does not. The
    /// pieces of one writer run in order. An error fails the task. One that is never run is of an attempt
    /// that has failed.
    Later(Box<dyn FnOnce() -> Result<Vec<Committable>> + Send>),
}

impl Prepared {
    /// Waits for it.
    ///
    /// # Errors
    /// If it fails.
    pub fn wait(self) -> Result<Vec<Committable>> {
        match self {
            Prepared::Now(committables) => Ok(committables),
            Prepared::Later(run) => run(),
        }
    }
}

impl Default for Prepared {
    fn default() -> Self {
        Prepared::Now(Vec::new())
    }
}

impl From<Vec<Committable>> for Prepared {
    fn from(committables: Vec<Committable>) -> Self {
        Prepared::Now(committables)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Prepared::Now(committables) => write!(f, "{committables:?}"),
            Prepared::Later(_) => f.write_str("later"),
        }
    }
}
