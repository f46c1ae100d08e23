//! Runs a process function on a stream without keys.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, SubtaskIndex};

use crate::function::SnapshotContext;
use crate::output::OutputBuffer;
use crate::state::{States, tell_dropped};
use crate::transform::Of;
use crate::{ProcessContext, ProcessFunction, RuntimeContext};

/// The operator.
pub(crate) struct Process<I, F: ProcessFunction<I>> {
    function: F,
    options: Arc<TaskOptions>,
    subtask: SubtaskIndex,
    states: States,
    buffer: OutputBuffer<F::Out>,
    of: Of<I>,
}

impl<I, F: ProcessFunction<I>> Process<I, F> {
    pub fn new(function: F, options: Arc<TaskOptions>) -> Self {
        Process {
            function,
            options,
            subtask: SubtaskIndex(0),
            states: States::default(),
            buffer: OutputBuffer::default(),
            of: PhantomData,
        }
    }
}

impl<I: Record, F: ProcessFunction<I>> Operator for Process<I, F> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let (info, metrics) = (context.info, context.metrics);
        self.subtask = info.subtask;
        let runtime = RuntimeContext::new(info, &self.options, metrics, &mut restored, None);
        self.function.open(&mut runtime.with_states(&mut self.states))?;
        tell_dropped(&info.name, &restored);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<I>()?;
        let (watermark, now) = (context.watermark, context.now);
        for (at, value) in values.into_iter().enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            self.buffer.at(timestamp);
            let collector = self.buffer.collector(context.output);
            let states = &mut self.states;
            self.function.process_element(
                value,
                &mut ProcessContext { collector, states, timestamp, watermark, now },
            )?;
        }
        self.states.check()?;
        self.buffer.flush(context.output)
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let (watermark, now) = (context.watermark, context.now);
        self.buffer.at(None);
        let collector = self.buffer.collector(context.output);
        let states = &mut self.states;
        self.function.finish(&mut ProcessContext { collector, states, timestamp: None, watermark, now })?;
        self.states.check()?;
        self.buffer.flush(context.output)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        self.function.snapshot_state(&mut SnapshotContext::new(&mut self.states, checkpoint))?;
        self.states.check()?;
        let lists = self.states.operator.snapshot(self.subtask)?;
        Ok(OperatorSnapshot { keyed: Vec::new(), lists })
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_aborted(checkpoint)
    }

    fn close(&mut self) {
        self.function.close();
    }
}
