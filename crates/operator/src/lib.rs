//! What an operator is.
//!
//! An [`Operator`] is a synchronous state machine driven by its task. It owns no thread, reads no clock (the
//! [`Context`] passes it the time, sampled once per batch) and does no I/O. Output is pushed downstream as it
//! is produced.
//!
//! Order of calls: `open`, then any of `process`, `watermark`, `watermark_status`, `processing_time`, `woken`, `prepare_barrier`
//! followed at once by `snapshot`, `checkpoint_complete`, `checkpoint_aborted`; `end_input` once for each input after its
//! last batch; `finish` when all inputs have ended and the final watermark was seen; perhaps more barriers; `close`.

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
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

/// Whether an operator makes output visible that a complete checkpoint holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Committing {
    /// There is nothing to do.
    #[default]
    None,
    /// It is tried again at a time that the operator has asked for.
    Waiting,
    /// It goes on elsewhere, and wakes the operator.
    UnderWay,
}

/// What is left to do of a snapshot, off the task's thread. Answers more operator state.
pub type SnapshotLater = Box<dyn FnOnce() -> Result<Vec<ListState>> + Send>;

/// A synchronous state machine that turns batches into batches. See the crate's header for the order of calls.
pub trait Operator: Send {
    /// Before anything else. `restored` holds the operator's state when the job starts from a snapshot.
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let _ = (restored, context);
        Ok(())
    }

    /// Rows of an input (0 unless the operator has several).
    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()>;

    /// Event time has advanced: the minimum over all active inputs. Emit what is due, then pass the watermark on.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        context.output.watermark(watermark)
    }

    /// The input as a whole became idle or active.
    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        context.output.watermark_status(status)
    }

    /// A time asked for with [`Context::schedule`] has come. Called once for the earliest one that is due; the
    /// operator asks again if it needs more.
    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let _ = (now, context);
        Ok(())
    }

    /// Somebody has called [`Context::waker`]: work that goes on elsewhere has come to something. Called once for any number
    /// of wakings, soon after.
    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// What the operator has taken in and not dealt with, because it waits for others. The task asks between its steps.
    fn backlog(&self) -> Backlog {
        Backlog::None
    }

    /// A barrier is about to go downstream: emit what must be before it (buffers of a pre-aggregation).
    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Hands over the state that changed since the last snapshot; with `full`, all of it (a savepoint; or the last
    /// hand-over was lost). Cost: proportional to the changes.
    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let _ = (checkpoint, full);
        Ok(OperatorSnapshot::default())
    }

    /// The part of the snapshot just taken that takes its time. It is run on another thread, in the order of the snapshots, also if the
    /// checkpoint is given up; its lists are added to those of the snapshot.
    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        None
    }

    /// Whether output that a complete checkpoint holds is still being made visible. The task does not leave before that is done, and
    /// calls the operator (`woken`, `processing_time`) for it also after it has finished.
    fn committing(&self) -> Committing {
        Committing::None
    }

    /// A checkpoint is complete and will be found again. Earlier ones that were not told of are covered too.
    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// A checkpoint will not be complete. What was handed over for it is in the next one, or the next one is full.
    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }

    /// The input has no more rows for now: send on what is held back only for the sake of larger batches.
    fn input_dry(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// An input has ended.
    fn end_input(&mut self, input: usize, context: &mut Context<'_>) -> Result<()> {
        let _ = (input, context);
        Ok(())
    }

    /// All inputs have ended; the watermark `MAX` has been delivered if the job is to drain. Emit the rest.
    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// After the last call, also on failure. Release what is held outside.
    fn close(&mut self) {}
}
