//! What the task passes to an operator in each call.

use flott_batch::{Batch, WatermarkStatus};
use flott_types::{JobId, KeyGroupRange, OperatorUid, Result, SubtaskIndex, Timestamp, Waker, Watermark};

use crate::OperatorMetrics;

/// The identity of the operator.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// The job.
    pub job: JobId,
    /// The operator's uid.
    pub uid: OperatorUid,
    /// The operator's name for people.
    pub name: String,
    /// This instance.
    pub subtask: SubtaskIndex,
    /// How many instances there are.
    pub parallelism: u32,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// The key groups that this instance owns.
    pub key_groups: KeyGroupRange,
    /// How often the job has been restarted.
    pub attempt: u32,
    /// Whether the job continues from a snapshot, which may not contain this operator.
    pub continues: bool,
}

/// Where an operator's output goes: to the next operators of the chain, by direct calls, and to the
/// exchanges.
pub trait Output {
    /// Sends rows downstream. Empty batches are dropped.
    fn emit(&mut self, batch: Batch) -> Result<()>;
    /// Sends values to a side output. It is fine if nobody reads it.
    ///
    /// # Errors
    /// As [`Output::emit`]; also if there are no side outputs here.
    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        let _ = batch;
        Err(flott_types::Error::internal(format!("there is no side output '{tag}' here")))
    }
    /// Sends a watermark downstream.
    fn watermark(&mut self, watermark: Watermark) -> Result<()>;
    /// Tells downstream whether this stream holds back event time.
    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()>;
    /// Fails when the task is being cancelled. A loop that may never end by itself (a function that keeps
    /// setting timers) calls this in each round.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::Cancelled`]
    fn wanted(&self) -> Result<()> {
        Ok(())
    }
}

/// What an operator may use during a call.
pub struct Context<'a> {
    /// The identity of the operator.
    pub info: &'a TaskInfo,
    /// Processing time, sampled once per batch.
    pub now: Timestamp,
    /// The watermark of the input.
    pub watermark: Watermark,
    /// Where output goes.
    pub output: &'a mut dyn Output,
    /// The operator's metrics.
    pub metrics: &'a OperatorMetrics,
    /// The earliest processing time at which the operator wants to be called; use [`Context::schedule`].
    pub wake_at: &'a mut Option<Timestamp>,
    /// Wakes the operator: after a call from any thread, the task soon calls `woken`.
    pub waker: &'a Waker,
}

impl Context<'_> {
    /// Requests a call of `processing_time` at this time or soon after. Only the earliest requested time is
    /// kept.
    pub fn schedule(&mut self, at: Timestamp) {
        let earlier = self.wake_at.is_none_or(|wake_at| at < wake_at);
        if earlier {
            *self.wake_at = Some(at);
        }
    }
}
