//! Runs a process function on a keyed stream: states, timers, keys.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp, Watermark};

use crate::function::{KeyedCall, SnapshotContext};
use crate::output::OutputBuffer;
use crate::runtime_context::KeyedScope;
use crate::state::{Key, KeyBy, KeyTable, States, Timers, tell_dropped};
use crate::{KeyedContext, KeyedProcessFunction, RuntimeContext, TimeDomain};

pub(crate) const EVENT_TIMERS: &str = "event-time-timers";
pub(crate) const PROCESSING_TIMERS: &str = "processing-time-timers";

/// The operator.
pub(crate) struct KeyedProcess<K, I, F: KeyedProcessFunction<K, I>> {
    function: F,
    options: Arc<TaskOptions>,
    subtask: SubtaskIndex,
    key_by: Arc<dyn KeyBy<K, I>>,
    keys: KeyTable<K>,
    states: States,
    event_timers: Timers<()>,
    processing_timers: Timers<()>,
    buffer: OutputBuffer<F::Out>,
    /// By value of the batch, kept for its memory.
    slots: Vec<u32>,
}

impl<K: Key, I: Record, F: KeyedProcessFunction<K, I>> KeyedProcess<K, I, F> {
    pub fn new(
        function: F,
        key_by: Arc<dyn KeyBy<K, I>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        Ok(KeyedProcess {
            function,
            options,
            subtask: SubtaskIndex(0),
            key_by,
            keys: KeyTable::new(max_parallelism)?,
            states: States::default(),
            event_timers: Timers::new(EVENT_TIMERS)?,
            processing_timers: Timers::new(PROCESSING_TIMERS)?,
            buffer: OutputBuffer::default(),
            slots: Vec::new(),
        })
    }

    fn call(
        &mut self,
        slot: u32,
        timestamp: Option<Timestamp>,
        domain: Option<TimeDomain>,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut F, &mut KeyedContext<'_, K, F::Out>) -> Result<()>,
    ) -> Result<()> {
        let KeyedProcess { function, keys, states, event_timers, processing_timers, buffer, .. } = self;
        let Some(key) = keys.get(slot) else {
            return Err(Error::internal("a slot without a key"));
        };
        states.slot = slot;
        buffer.at(timestamp.filter(|_| domain != Some(TimeDomain::ProcessingTime)));
        let (watermark, now) = (context.watermark, context.now);
        let collector = buffer.collector(context.output);
        let call_parts =
            KeyedCall { states, event_timers, processing_timers, timestamp, domain, watermark, now };
        let mut keyed = KeyedContext { key, collector, call: call_parts };
        call(function, &mut keyed)
    }

    /// Fires the timers of a time domain that are due.
    fn fire(&mut self, domain: TimeDomain, until: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.states.now = context.now;
        loop {
            let timers = match domain {
                TimeDomain::EventTime => &mut self.event_timers,
                TimeDomain::ProcessingTime => &mut self.processing_timers,
            };
            let Some(((at, slot, ()), freed)) = timers.pop_due(until) else { break };
            if freed {
                self.states.freed.push(slot);
            }
            self.call(slot, Some(at), Some(domain), context, |function, keyed| function.on_timer(at, keyed))?;
        }
        self.after(context)
    }

    /// After records or timers: output leaves, keys that nothing needs go, the next timer is asked for.
    fn after(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.states.check()?;
        self.buffer.flush(context.output)?;
        self.free();
        if let Some(at) = self.processing_timers.earliest() {
            context.schedule(at);
        }
        Ok(())
    }

    fn free(&mut self) {
        let KeyedProcess { keys, states, event_timers, processing_timers, .. } = self;
        let mut freed = std::mem::take(&mut states.freed);
        keys.take_new(&mut freed);
        for slot in freed.drain(..) {
            if !states.occupied(slot) && !event_timers.occupied(slot) && !processing_timers.occupied(slot) {
                keys.remove(slot);
            }
        }
        states.freed = freed;
    }
}

impl<K: Key, I: Record, F: KeyedProcessFunction<K, I>> Operator for KeyedProcess<K, I, F> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let KeyedProcess { function, options, keys, states, event_timers, processing_timers, .. } = self;
        states.now = context.now;
        event_timers.restore(keys, &mut restored)?;
        processing_timers.restore(keys, &mut restored)?;
        let keyed = KeyedScope { keys, states };
        let (info, metrics) = (context.info, context.metrics);
        function.open(&mut RuntimeContext::new(info, options, metrics, &mut restored, Some(keyed)))?;
        self.subtask = info.subtask;
        tell_dropped(&info.name, &restored);
        self.after(context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, routes } = batch.into_records::<I>()?;
        let hashes = routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"))?;
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        self.key_by.intern(&values, &hashes, &mut self.keys, &mut slots);
        self.states.now = context.now;
        self.states.warm(&slots, self.keys.len());
        let count = slots.len();
        for (at, (value, slot)) in values.into_iter().zip(&slots).enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            self.call(*slot, timestamp, None, context, |function, keyed| {
                function.process_element(value, keyed)
            })?;
        }
        self.slots = slots;
        self.states.tidy(context.now, count);
        self.after(context)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::EventTime, watermark.0, context)?;
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.fire(TimeDomain::ProcessingTime, now, context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let KeyedProcess { function, keys, states, event_timers, processing_timers, .. } = self;
        function.snapshot_state(&mut SnapshotContext::new(states, checkpoint))?;
        states.check()?;
        let lists = states.operator.snapshot(self.subtask)?;
        let mut keyed = states.snapshot(keys, full)?;
        event_timers.snapshot(keys, full, &mut states.freed, &mut keyed)?;
        processing_timers.snapshot(keys, full, &mut states.freed, &mut keyed)?;
        self.free();
        Ok(OperatorSnapshot { keyed, lists })
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
