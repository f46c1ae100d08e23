//! Runs a process function on a keyed stream.

use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, Timestamp, Watermark};

use crate::keyed_core::KeyedCore;
use flott_function::keyed_process::{KeyedProcessFunction, TimeDomain};
use flott_function::operator_life;
use flott_function::state::{Key, KeyBy};

/// The operator.
pub struct KeyedProcess<K, I, F: KeyedProcessFunction<K, I>> {
    function: F,
    key_by: Arc<dyn KeyBy<K, I>>,
    core: KeyedCore<K, F::Out>,
}

impl<K: Key, I: Record, F: KeyedProcessFunction<K, I>> KeyedProcess<K, I, F> {
    /// Calls the function with each record for its key.
    ///
    /// # Errors
    /// If the type cannot be a key type.
    pub fn new(
        function: F,
        key_by: Arc<dyn KeyBy<K, I>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        Ok(KeyedProcess { function, key_by, core: KeyedCore::new(max_parallelism, options)? })
    }

    fn fire(&mut self, domain: TimeDomain, until: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let function = &mut self.function;
        self.core.fire(domain, until, context, |at, keyed| function.on_timer(at, keyed))
    }
}

impl<K: Key, I: Record, F: KeyedProcessFunction<K, I>> Operator for KeyedProcess<K, I, F> {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.core.open(restored, context, |runtime| self.function.open(runtime))
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let function = &mut self.function;
        self.core
            .process(&*self.key_by, batch, context, |value, keyed| function.process_element(value, keyed))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::EventTime, watermark.0, context)?;
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::ProcessingTime, now, context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        self.core.snapshot(checkpoint, full, |context| self.function.snapshot_state(context))
    }

    operator_life!(function);
}
