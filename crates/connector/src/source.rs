//! Sources: an enumerator finds splits and hands them out, readers read them.

use std::sync::Arc;

use flott_batch::Batch;
use flott_types::{Clock, Result, SubtaskIndex, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a source ends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Boundedness {
    /// It ends.
    Bounded,
    /// It goes on for ever.
    Unbounded,
}

/// A part of a source that one reader reads, with the position up to which it was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Split {
    /// Names the split within its source, the same in every run: a path and range, a topic and partition.
    pub id: String,
    /// What the connector needs to know, position included, in a form of its own that carries a version.
    pub payload: String,
}

/// A source of one table, made from a `SourceSpec`. Made anew in the JobManager and in every task.
pub trait Source: Send + Sync {
    /// Whether it ends by itself.
    fn boundedness(&self) -> Boundedness;

    /// The JobManager's side. `restored` is what [`SplitEnumerator::snapshot`] gave; `None` on a fresh start.
    fn enumerator(
        &self,
        restored: Option<&str>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>>;

    /// A subtask's side. Its batches have the columns of the spec: projection, then metadata.
    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>>;

    /// Whether watermarks may be generated for each split by itself (their rows are in order on their own). The reader
    /// must say [`SourceOutput::split_finished`] then.
    fn watermark_per_split(&self) -> bool {
        false
    }
}

/// What an enumerator may use.
#[derive(Clone, Debug)]
pub struct EnumeratorContext {
    /// How many readers there are.
    pub parallelism: u32,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Finds splits and hands them out. Runs in the JobManager; its state is in the checkpoint. What it has handed out is the
/// readers': a restart gives unfinished splits to the readers again, out of their part of the checkpoint.
pub trait SplitEnumerator: Send {
    /// A reader has nothing to read. `None` says that nothing will ever come for it: the source is bounded and
    /// everything is handed out. An empty list says: ask again later (a directory that is monitored).
    fn next_splits(&mut self, reader: SubtaskIndex) -> Result<Option<Vec<Split>>>;

    /// What is needed to go on: above all, which splits were handed out. Carries a version.
    fn snapshot(&self) -> Result<String>;

    /// When a reader that was told to ask again should do so, in milliseconds.
    fn discovery_interval(&self) -> i64 {
        1_000
    }
}

/// What a reader may use.
#[derive(Clone, Debug)]
pub struct ReaderContext {
    /// The reader's subtask.
    pub subtask: SubtaskIndex,
    /// How many readers there are.
    pub parallelism: u32,
    /// The number of rows at which a batch is large enough.
    pub batch_size: usize,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Where a reader puts its batches.
pub trait SourceOutput {
    /// Sends rows of a split downstream.
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()>;
    /// Counts rows that were left out because they could not be read (`ignore-parse-errors`).
    fn skipped(&mut self, rows: u64);
    /// Says that nothing follows of this split. A split that is not said to be finished holds event time back until the
    /// next snapshot, or until [`Poll::SplitsDone`].
    fn split_finished(&mut self, split: &str) -> Result<()> {
        let _ = split;
        Ok(())
    }
}

/// What a reader says after it was asked for rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// It emitted something, or did some work; ask again at once.
    More,
    /// Nothing now; ask again at this time (by the clock), or when woken.
    Wait(Timestamp),
    /// All splits that it was given are read to their ends; it wants more splits.
    SplitsDone,
}

/// Reads splits. One call of `poll` does a batch's worth of work, so that barriers get their turn.
pub trait SourceReader: Send {
    /// Gives splits to read, fresh ones or restored ones with their positions.
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()>;

    /// Reads the next batch, if there is one, and emits it.
    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll>;

    /// The splits that are not read to their ends, with positions after the last row emitted.
    fn snapshot(&mut self) -> Result<Vec<Split>>;

    /// A checkpoint that held what `snapshot` gave has completed (acknowledge to the outside here).
    fn checkpoint_complete(&mut self) -> Result<()> {
        Ok(())
    }
}
