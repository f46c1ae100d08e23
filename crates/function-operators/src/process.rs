//! Runs a process function on a stream without keys.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result};

use crate::process_core::ProcessCore;
use flott_function::operator_life;
use flott_function::output::Of;
use flott_function::process::ProcessFunction;

/// The operator.
pub struct Process<I, F: ProcessFunction<I>> {
    function: F,
    core: ProcessCore<F::Out>,
    of: Of<I>,
}

impl<I, F: ProcessFunction<I>> Process<I, F> {
    /// Calls the function.
    pub fn new(function: F, options: Arc<TaskOptions>) -> Self {
        Process { function, core: ProcessCore::new(options), of: PhantomData }
    }
}

impl<I: Record, F: ProcessFunction<I>> Operator for Process<I, F> {
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.core.open(restored, context, |runtime| self.function.open(runtime))
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let function = &mut self.function;
        self.core.process(batch, context, |value, process| function.process_element(value, process))
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.core.finish(context, |process| self.function.finish(process))
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        self.core.snapshot(checkpoint, |context| self.function.snapshot_state(context))
    }

    operator_life!(function);
}
