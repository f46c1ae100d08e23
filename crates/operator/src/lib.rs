//! What an operator is.
//!
//! An [`Operator`] is a synchronous state machine driven by its task. It owns no thread, reads no clock (the
//! [`Context`] passes it the time, sampled once per batch) and does no I/O. Output is pushed downstream as it
//! is produced.
//!
//! Order of calls: `open`, then any of `process`, `watermark`, `watermark_status`, `processing_time`,
//! `woken`, `prepare_barrier` followed at once by `snapshot`, `checkpoint_complete`, `checkpoint_aborted`;
//! `end_input` once for each input after its last batch; `finish` when all inputs have ended and the final
//! watermark has been delivered; perhaps more barriers; `close`.

// A variant added later must be considered wherever it matters (in tests, a catch-all shows up as a failure).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

mod accumulators;
mod backlog;
pub mod checked;
mod context;
pub mod event_time;
mod metric_group;
mod metrics;
pub mod requests;
pub mod testing;
pub mod windows;

pub use accumulators::{AccumulatorReport, Accumulators, LocalAccumulator};
pub use backlog::Backlog;
pub use context::{Context, Output, TaskInfo};
pub use metric_group::{Histogram, HistogramStatistics, Meter, MetricGroup, MetricValue, NamedMetric};
pub use metrics::{Counter, Gauge, OperatorMetrics};

use flott_batch::{Batch, WatermarkStatus};
use flott_state::{ListState, OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, Timestamp, Watermark};

/// Whether an operator is still making output of a completed checkpoint visible.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Committing {
    /// Nothing to do.
    #[default]
    None,
    /// It will be retried at a time that the operator has scheduled.
    Waiting,
    /// It is running elsewhere, and will wake the operator.
    UnderWay,
}

/// The remaining work of a snapshot, off the task's thread. Returns additional operator state.
pub type SnapshotLater = Box<dyn FnOnce() -> Result<Vec<ListState>> + Send>;

/// A synchronous state machine that turns batches into batches. See the crate's header for the order of
/// calls.
pub trait Operator: Send {
    /// Called before anything else. `restored` holds the operator's state if the job starts from a snapshot.
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let _ = (restored, context);
        Ok(())
    }

    /// Whether [`Operator::open`] restores keyed state in parts ([`RestoredState::next_part`]), so that it need not be in
    /// memory as a whole.
    fn restores_in_parts(&self) -> bool {
        false
    }

    /// Rows of an input (0 unless the operator has several).
    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()>;

    /// Event time has advanced to the minimum over all active inputs. Emit what is due, then forward the
    /// watermark.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        context.output.watermark(watermark)
    }

    /// The input as a whole became idle or active.
    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        context.output.watermark_status(status)
    }

    /// A time requested with [`Context::schedule`] has come. Called once for the earliest one that is due;
    /// the operator schedules again if it needs more calls.
    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let _ = (now, context);
        Ok(())
    }

    /// Something called [`Context::waker`]: work that runs elsewhere has made progress. Called soon after,
    /// once for any number of wake-ups.
    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// How much input the operator has accepted but not processed, because it waits for others. The task asks
    /// between its steps.
    fn backlog(&self) -> Backlog {
        Backlog::None
    }

    /// A barrier is about to go downstream: emit what must precede it (buffers of a pre-aggregation).
    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Hands over the state that changed since the last snapshot; with `full`, all of it (for a savepoint, or
    /// if the last hand-over was lost). Cost: proportional to the changes.
    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let _ = (checkpoint, full);
        Ok(OperatorSnapshot::default())
    }

    /// The slow part of the snapshot just taken. It runs on another thread, in the order of the snapshots,
    /// even if the checkpoint is aborted; the lists that it returns are added to the snapshot.
    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        None
    }

    /// Whether output of a completed checkpoint is still being made visible. The task does not exit before
    /// that is done, and keeps calling the operator (`woken`, `processing_time`) for it even after it has
    /// finished.
    fn committing(&self) -> Committing {
        Committing::None
    }

    /// A checkpoint is complete and will be found again. This covers earlier ones whose completion was not
    /// announced.
    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// A checkpoint will not complete. What was handed over for it is in the next one, or the next one is
    /// full.
    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// The input has no more rows for now: send what is held back only to form larger batches.
    fn input_dry(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// An input has ended.
    fn end_input(&mut self, input: usize, context: &mut Context<'_>) -> Result<()> {
        let _ = (input, context);
        Ok(())
    }

    /// All inputs have ended; the watermark `MAX` has been delivered if the job drains. Emit the rest.
    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// The last call, even after a failure. Release external resources.
    fn close(&mut self) {}
}
