//! Runs a process function on a stream without keys.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::RestoredState;
use flott_types::Result;

use crate::output::OutputBuffer;
use crate::transform::Of;
use crate::{ProcessContext, ProcessFunction, RuntimeContext};

/// The operator.
pub(crate) struct Process<I, F: ProcessFunction<I>> {
    function: F,
    options: Arc<TaskOptions>,
    buffer: OutputBuffer<F::Out>,
    of: Of<I>,
}

impl<I, F: ProcessFunction<I>> Process<I, F> {
    pub fn new(function: F, options: Arc<TaskOptions>) -> Self {
        Process { function, options, buffer: OutputBuffer::default(), of: PhantomData }
    }
}

impl<I: Record, F: ProcessFunction<I>> Operator for Process<I, F> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let (info, metrics) = (context.info, context.metrics);
        self.function.open(&mut RuntimeContext::new(info, &self.options, metrics, &mut restored, None))
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<I>()?;
        let (watermark, now) = (context.watermark, context.now);
        for (at, value) in values.into_iter().enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            self.buffer.at(timestamp);
            let collector = self.buffer.collector(context.output);
            self.function
                .process_element(value, &mut ProcessContext { collector, timestamp, watermark, now })?;
        }
        self.buffer.flush(context.output)
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let (watermark, now) = (context.watermark, context.now);
        self.buffer.at(None);
        let collector = self.buffer.collector(context.output);
        self.function.finish(&mut ProcessContext { collector, timestamp: None, watermark, now })?;
        self.buffer.flush(context.output)
    }

    fn close(&mut self) {
        self.function.close();
    }
}
