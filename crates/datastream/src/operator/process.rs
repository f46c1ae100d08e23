//! Runs a process function on a stream without keys.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result};

use super::ProcessCore;
use crate::ProcessFunction;
use crate::function::life_cycle::operator_life;
use crate::transform::Of;

/// The operator.
pub(crate) struct Process<I, F: ProcessFunction<I>> {
    function: F,
    core: ProcessCore<F::Out>,
    of: Of<I>,
}

impl<I, F: ProcessFunction<I>> Process<I, F> {
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
