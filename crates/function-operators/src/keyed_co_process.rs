//! Runs a function on two keyed streams, which share keys, states and timers.

use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Result, Timestamp, Watermark};

use crate::keyed_core::KeyedCore;
use flott_function::co_process::KeyedCoProcessFunction;
use flott_function::keyed_process::TimeDomain;
use flott_function::operator_life;
use flott_function::state::{Key, KeyBy};

/// The operator.
pub struct KeyedCoProcess<K, A, B, F: KeyedCoProcessFunction<K, A, B>> {
    function: F,
    first: Arc<dyn KeyBy<K, A>>,
    second: Arc<dyn KeyBy<K, B>>,
    core: KeyedCore<K, F::Out>,
}

impl<K, A, B, F> KeyedCoProcess<K, A, B, F>
where
    K: Key,
    A: Record,
    B: Record,
    F: KeyedCoProcessFunction<K, A, B>,
{
    /// Calls the function with the records of both inputs, each for its key.
    ///
    /// # Errors
    /// If the type cannot be a key type.
    pub fn new(
        function: F,
        first: Arc<dyn KeyBy<K, A>>,
        second: Arc<dyn KeyBy<K, B>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        Ok(KeyedCoProcess { function, first, second, core: KeyedCore::new(max_parallelism, options)? })
    }

    fn fire(&mut self, domain: TimeDomain, until: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let function = &mut self.function;
        self.core.fire(domain, until, context, |at, keyed| function.on_timer(at, keyed))
    }
}

impl<K, A, B, F> Operator for KeyedCoProcess<K, A, B, F>
where
    K: Key,
    A: Record,
    B: Record,
    F: KeyedCoProcessFunction<K, A, B>,
{
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.core.open(restored, context, |runtime| self.function.open(runtime))
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let KeyedCoProcess { function, first, second, core } = self;
        match input {
            0 => core.process(&**first, batch, context, |value, keyed| function.process_first(value, keyed)),
            _ => {
                core.process(&**second, batch, context, |value, keyed| function.process_second(value, keyed))
            }
        }
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
