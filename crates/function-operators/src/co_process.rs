//! Functions of two streams without keys.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result};

use crate::process_core::ProcessCore;
use flott_function::co_process::CoProcessFunction;
use flott_function::operator_life;
use flott_function::output::Collector;
use flott_function::output::Of;
use flott_function::output::OutputBuffer;

/// One value for each value of either stream.
pub struct CoMap<A, B, U, F, G> {
    first: F,
    second: G,
    of: Of<(A, B, U)>,
}

impl<A, B, U, F, G> CoMap<A, B, U, F, G> {
    /// Calls one function with the records of each input.
    pub fn new(first: F, second: G) -> Self {
        CoMap { first, second, of: PhantomData }
    }
}

impl<A, B, U, F, G> Operator for CoMap<A, B, U, F, G>
where
    A: Record,
    B: Record,
    U: Record,
    F: FnMut(A) -> Result<U> + Send,
    G: FnMut(B) -> Result<U> + Send,
{
    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mapped = if input == 0 { map(batch, &mut self.first)? } else { map(batch, &mut self.second)? };
        context.output.emit(mapped)
    }
}

fn map<T: Record, U: Record>(batch: Batch, function: impl FnMut(T) -> Result<U>) -> Result<Batch> {
    let Records { values, timestamps, .. } = batch.into_records::<T>()?;
    let values = values.into_iter().map(function).collect::<Result<Vec<U>>>()?;
    Ok(Batch::from(Records { values, timestamps, routes: None }))
}

/// Any number of values for each value of either stream.
pub struct CoFlatMap<A, B, U, F, G> {
    first: F,
    second: G,
    buffer: OutputBuffer<U>,
    of: Of<(A, B)>,
}

impl<A, B, U: Record, F, G> CoFlatMap<A, B, U, F, G> {
    /// Calls one function with the records of each input.
    pub fn new(first: F, second: G) -> Self {
        CoFlatMap { first, second, buffer: OutputBuffer::default(), of: PhantomData }
    }
}

impl<A, B, U, F, G> Operator for CoFlatMap<A, B, U, F, G>
where
    A: Record,
    B: Record,
    U: Record,
    F: FnMut(A, &mut Collector<'_, U>) -> Result<()> + Send,
    G: FnMut(B, &mut Collector<'_, U>) -> Result<()> + Send,
{
    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        match input {
            0 => flat_map(batch, &mut self.first, &mut self.buffer, context)?,
            _ => flat_map(batch, &mut self.second, &mut self.buffer, context)?,
        }
        self.buffer.flush(context.output)
    }
}

fn flat_map<T: Record, U: Record>(
    batch: Batch,
    mut function: impl FnMut(T, &mut Collector<'_, U>) -> Result<()>,
    buffer: &mut OutputBuffer<U>,
    context: &mut Context<'_>,
) -> Result<()> {
    let Records { values, timestamps, .. } = batch.into_records::<T>()?;
    for (at, value) in values.into_iter().enumerate() {
        buffer.at(timestamps.as_ref().map(|timestamps| timestamps[at]));
        function(value, &mut buffer.collector(context.output))?;
    }
    Ok(())
}

/// Runs a function with a life cycle.
pub struct CoProcess<A, B, F: CoProcessFunction<A, B>> {
    function: F,
    core: ProcessCore<F::Out>,
    of: Of<(A, B)>,
}

impl<A, B, F: CoProcessFunction<A, B>> CoProcess<A, B, F> {
    /// Calls the function with the records of both inputs.
    pub fn new(function: F, options: Arc<TaskOptions>) -> Self {
        CoProcess { function, core: ProcessCore::new(options), of: PhantomData }
    }
}

impl<A: Record, B: Record, F: CoProcessFunction<A, B>> Operator for CoProcess<A, B, F> {
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.core.open(restored, context, |runtime| self.function.open(runtime))
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let CoProcess { function, core, .. } = self;
        match input {
            0 => core.process(batch, context, |value, process| function.process_first(value, process)),
            _ => core.process(batch, context, |value, process| function.process_second(value, process)),
        }
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.core.finish(context, |process| self.function.finish(process))
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        self.core.snapshot(checkpoint, |context| self.function.snapshot_state(context))
    }

    operator_life!(function);
}
