//! Sinks: a writer in each task, and what it wrote is committed when the checkpoint that holds it has completed.

use std::sync::Arc;

use flott_batch::Batch;
use flott_types::{CheckpointId, Clock, JobId, Result, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

/// Output that exists but is not visible yet: a file under a hidden name, an open transaction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Committable {
    /// What the connector needs to commit, in a form of its own that carries a version.
    pub payload: String,
}

/// A sink: of one table, made from a `SinkSpec`, or of a stream of the DataStream API. Made anew in every task.
pub trait Sink: Send + Sync {
    /// A subtask's writer. `restored` holds what [`SinkWriter::snapshot`] gave, from all former subtasks that fell to
    /// this one.
    fn writer(&self, context: SinkContext, restored: Vec<String>) -> Result<Box<dyn SinkWriter>>;

    /// Makes output visible. Called after the checkpoint that holds the committables has completed, perhaps more than
    /// once for the same one: a second time must be harmless.
    fn commit(&self, committables: &[Committable]) -> Result<()>;

    /// Makes visible what a checkpoint held from which the job is restored. All of it may have been committed before, and may
    /// even have been taken away since by whoever reads it: what cannot be found any more is no error then.
    fn commit_restored(&self, checkpoint: CheckpointId, committables: &[Committable]) -> Result<()> {
        let _ = checkpoint;
        self.commit(committables)
    }

    /// Whether the sink can write where it is told to. Called when the job is submitted: what can never succeed is told then,
    /// and not by a job that fails again and again.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether there ever is something to commit. A sink that writes at once says no.
    fn is_two_phase(&self) -> bool {
        false
    }
}

/// A sink that takes batches of `Records<T>`. Says so to the compiler; nothing else.
pub trait Consumes<T>: Sink {}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<S: Sink + ?Sized> Sink for Arc<S> {
    fn writer(&self, context: SinkContext, restored: Vec<String>) -> Result<Box<dyn SinkWriter>> {
        (**self).writer(context, restored)
    }

    fn commit(&self, committables: &[Committable]) -> Result<()> {
        (**self).commit(committables)
    }

    fn commit_restored(&self, checkpoint: CheckpointId, committables: &[Committable]) -> Result<()> {
        (**self).commit_restored(checkpoint, committables)
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }

    fn is_two_phase(&self) -> bool {
        (**self).is_two_phase()
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
    /// The writer's subtask.
    pub subtask: SubtaskIndex,
    /// How many writers there are.
    pub parallelism: u32,
    /// Whether the job starts from a snapshot that knows this sink. If not, nothing that an earlier attempt handed over is in a
    /// checkpoint.
    pub is_restored: bool,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Writes rows. Output becomes visible by `prepare_commit` and [`Sink::commit`], or at once for sinks without two phases.
pub trait SinkWriter: Send {
    /// Writes rows; their columns are the table's, then metadata.
    fn write(&mut self, batch: Batch) -> Result<()>;

    /// Sends what is buffered on its way. Called when input runs dry, and before a barrier.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Before the snapshot of a checkpoint, or at the end of input (`end`, with everything to be handed over): what is
    /// complete and shall become visible with that checkpoint.
    fn prepare_commit(&mut self, checkpoint: CheckpointId, end: bool) -> Result<Vec<Committable>> {
        let _ = (checkpoint, end);
        Ok(Vec::new())
    }

    /// What else must be in the checkpoint: output that is begun and not handed over. Each entry may go to another
    /// subtask on restore.
    fn snapshot(&mut self) -> Result<Vec<String>> {
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
