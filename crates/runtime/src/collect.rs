//! The collect operator: returns rows to the client that submitted the query.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_operator::{Context, Operator, TaskInfo};
use flott_state::OperatorSnapshot;
use flott_types::{CheckpointId, Clock, Result, Watermark};

use crate::gate::CancelFlag;

/// Receives collected rows. Created for each attempt of each collecting task.
pub trait Collector: Send {
    /// Takes rows; waits while the client is behind, and returns how long in nanoseconds.
    ///
    /// # Errors
    /// If the task is cancelled in the meantime.
    fn emit(&mut self, batch: Batch, cancel: &CancelFlag, clock: &dyn Clock) -> Result<u64>;

    /// Everything up to here belongs to this checkpoint.
    fn seal(&mut self, checkpoint: CheckpointId);
}

/// Gives each collecting task its collector.
pub trait Results: Send + Sync {
    /// The collector of one task.
    ///
    /// # Errors
    /// If nobody wants the rows of this job.
    fn collector(&self, info: &TaskInfo) -> Result<Box<dyn Collector>>;
}

/// The operator.
pub struct CollectOperator {
    collector: Box<dyn Collector>,
    cancel: Arc<CancelFlag>,
    clock: Arc<dyn Clock>,
    task: Arc<crate::TaskMetrics>,
}

impl CollectOperator {
    /// The operator of one subtask.
    pub fn new(
        collector: Box<dyn Collector>,
        cancel: Arc<CancelFlag>,
        clock: Arc<dyn Clock>,
        task: Arc<crate::TaskMetrics>,
    ) -> Self {
        CollectOperator { collector, cancel, clock, task }
    }
}

impl Operator for CollectOperator {
    fn process(&mut self, _input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = match batch {
            Batch::Changes(changes) => Batch::Changes(changes.compact()?),
            records @ Batch::Records(_) => records,
        };
        context.metrics.num_records_out.add(batch.num_rows() as u64);
        let waited = self.collector.emit(batch, &self.cancel, &*self.clock)?;
        self.task.back_pressured.add(waited);
        Ok(())
    }

    fn watermark(&mut self, _: Watermark, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _full: bool) -> Result<OperatorSnapshot> {
        self.collector.seal(checkpoint);
        Ok(OperatorSnapshot::default())
    }
}
