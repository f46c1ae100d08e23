//! What every operator with a function without keys has around it: states of the subtask, and output.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::Context;
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, SubtaskIndex};

use flott_function::output::OutputBuffer;
use flott_function::process::ProcessContext;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{States, tell_dropped};

/// The states and the output of an operator without keys. The operator owns the function and passes it as a
/// closure with each call.
pub struct ProcessCore<O> {
    options: Arc<TaskOptions>,
    subtask: SubtaskIndex,
    states: States,
    buffer: OutputBuffer<O>,
}

impl<O: Record> ProcessCore<O> {
    pub fn new(options: Arc<TaskOptions>) -> Self {
        let (states, buffer) = (States::default(), OutputBuffer::default());
        ProcessCore { options, subtask: SubtaskIndex(0), states, buffer }
    }

    /// Restores the states that the function declares in `open`.
    pub fn open(
        &mut self,
        mut restored: RestoredState,
        context: &mut Context<'_>,
        open: impl FnOnce(&mut RuntimeContext<'_>) -> Result<()>,
    ) -> Result<()> {
        let (info, metrics) = (context.info, context.metrics);
        self.subtask = info.subtask;
        let runtime = RuntimeContext::new(info, &self.options, metrics, &mut restored, None);
        open(&mut runtime.with_states(&mut self.states))?;
        tell_dropped(&info.name, &restored);
        Ok(())
    }

    /// Calls the function with each record of an input.
    pub fn process<I: Record>(
        &mut self,
        batch: Batch,
        context: &mut Context<'_>,
        mut call: impl FnMut(I, &mut ProcessContext<'_, O>) -> Result<()>,
    ) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<I>()?;
        let (watermark, now) = (context.watermark, context.now);
        for (at, value) in values.into_iter().enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            self.buffer.at(timestamp);
            let collector = self.buffer.collector(context.output);
            let states = &mut self.states;
            call(value, &mut ProcessContext::new(collector, states, timestamp, (watermark, now)))?;
        }
        self.states.check()?;
        self.buffer.flush(context.output)
    }

    /// Calls the function once, when all inputs have ended.
    pub fn finish(
        &mut self,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut ProcessContext<'_, O>) -> Result<()>,
    ) -> Result<()> {
        let (watermark, now) = (context.watermark, context.now);
        self.buffer.at(None);
        let collector = self.buffer.collector(context.output);
        let states = &mut self.states;
        call(&mut ProcessContext::new(collector, states, None, (watermark, now)))?;
        self.states.check()?;
        self.buffer.flush(context.output)
    }

    /// Lets the function update its states for the snapshot, and takes them.
    pub fn snapshot(
        &mut self,
        checkpoint: CheckpointId,
        call: impl FnOnce(&mut SnapshotContext<'_>) -> Result<()>,
    ) -> Result<OperatorSnapshot> {
        call(&mut SnapshotContext::new(&mut self.states, checkpoint))?;
        self.states.check()?;
        let lists = self.states.operator.snapshot(self.subtask)?;
        Ok(OperatorSnapshot { lists, ..OperatorSnapshot::default() })
    }
}
