//! Sources, and their readers. Their other half is [`SplitEnumerator`].

use std::fmt;
use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_operator::MetricGroup;
use flott_types::{CheckpointId, Clock, Error, Result, SubtaskIndex, Timestamp, Waker, Watermark};
use serde::{Deserialize, Serialize};

use crate::{EnumeratorContext, EventTimePolicy, Payload, SplitEnumerator};

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
    /// What the connector needs to know, position included.
    pub payload: Payload,
}

/// A source: of one table, made from a `SourceSpec`, or of a stream of the DataStream API. Made anew in the
/// JobManager and in every task.
pub trait Source: Send + Sync {
    /// Whether it ends by itself.
    fn boundedness(&self) -> Boundedness;

    /// The JobManager's side. `restored` is what [`SplitEnumerator::snapshot`] gave; `None` on a fresh start.
    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>>;

    /// A subtask's side. Its batches have the columns of the spec: projection, then metadata.
    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>>;

    /// Whether watermarks may be generated for each split by itself (their rows are in order on their own).
    /// The reader must say [`SourceOutput::split_finished`] then.
    fn watermark_per_split(&self) -> bool {
        false
    }

    /// How timestamps and watermarks come out of the rows, if that is the source's business: for each split
    /// by itself, so that the reader must say [`SourceOutput::split_finished`]. `interval` is
    /// `pipeline.auto-watermark-interval` in milliseconds. SQL does without: there the table's watermark is
    /// part of the plan.
    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        let _ = interval;
        None
    }
}

/// A source whose batches are `Records<T>`. Says so to the compiler; nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of `{T}`",
    label = "does not implement `Produces<{T}>`",
    note = "a source says which records it emits: `impl Produces<{T}> for {Self}`"
)]
pub trait Produces<T>: Source {}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<S: Source + ?Sized> Source for Arc<S> {
    fn boundedness(&self) -> Boundedness {
        (**self).boundedness()
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        (**self).enumerator(restored, context)
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        (**self).reader(context)
    }

    fn watermark_per_split(&self) -> bool {
        (**self).watermark_per_split()
    }

    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        (**self).event_time(interval)
    }
}

impl<T, S: Produces<T> + ?Sized> Produces<T> for Arc<S> {}

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
    /// Wakes the task from a thread of the reader's own, after [`Poll::Wait`].
    pub waker: Waker,
    /// Metrics of the reader's own.
    pub metrics: MetricGroup,
}

/// Where a reader puts its batches.
pub trait SourceOutput {
    /// Sends rows of a split downstream.
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()>;
    /// Counts rows that were left out because they could not be read (`ignore-parse-errors`).
    fn skipped(&mut self, rows: u64);
    /// Sends rows of [`Rejected`](crate::Rejected) to the table of ERRORS INTO, and counts them. Only for
    /// sources whose spec asks for them.
    ///
    /// # Errors
    /// If nobody takes them. That is so by default.
    fn rejected(&mut self, batch: Batch) -> Result<()> {
        Err(Error::internal(format!("nobody takes {} records that cannot be read", batch.num_rows())))
    }
    /// Says that nothing follows of this split. A split that is not said to be finished holds event time back
    /// until the next snapshot, or until [`Poll::SplitsDone`].
    fn split_finished(&mut self, split: &str) -> Result<()> {
        let _ = split;
        Ok(())
    }

    /// Says that no row with a timestamp at or below this follows of the split. For sources that know their
    /// event time; the source must say [`EventTimePolicy::stated`], or have another policy, whose watermarks
    /// then come together with these.
    ///
    /// # Errors
    /// If nobody listens. That is so by default, and of sources without a policy.
    fn watermark(&mut self, split: &str, watermark: Watermark) -> Result<()> {
        Err(no_policy(split, &watermark))
    }

    /// Says that the split holds event time back no longer, or again. A row or watermark of it makes it
    /// active too.
    ///
    /// # Errors
    /// As [`SourceOutput::watermark`].
    fn watermark_status(&mut self, split: &str, status: WatermarkStatus) -> Result<()> {
        Err(no_policy(split, &format_args!("{status:?}")))
    }

    /// Tells the source's enumerator something of the connector's own
    /// ([`SplitEnumerator::reader_event`]). It may be lost with the attempt; the order is kept.
    ///
    /// # Errors
    /// If nobody listens. That is so by default.
    fn send(&mut self, event: Payload) -> Result<()> {
        Err(Error::internal(format!("there is no enumerator to receive {event:?}")))
    }
}

fn no_policy(split: &str, what: &dyn fmt::Display) -> Error {
    Error::internal(format!(
        "the reader states the event time of split '{split}' ({what}), but Source::event_time does not declare it"
    ))
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

    /// The splits that are not read to their ends, with positions after the last row emitted. Changes
    /// nothing: several snapshots may be in progress at once.
    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>>;

    /// Leaves exactly these of its splits alone until told otherwise: they are too far ahead of others in
    /// event time. Only of interest to a reader that reads several splits side by side; by default nothing
    /// happens, and a reader is only paused as a whole.
    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        let _ = paused;
        Ok(())
    }

    /// The source's enumerator says something of the connector's own
    /// ([`Assignments::send`](crate::Assignments::send)).
    fn event(&mut self, event: Payload) -> Result<()> {
        Err(Error::internal(format!("the enumerator sends an unexpected event: {event:?}")))
    }

    /// A checkpoint is complete. What was emitted before its snapshot, and no more, may be acknowledged to
    /// the outside. Earlier checkpoints that were not told of are covered too.
    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// A checkpoint will not be complete: what its snapshot held is in the next one.
    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }
}
